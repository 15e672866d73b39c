"""The table of tasks inside an out-of-memory event, read by its header: columns differ between kernels."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import add
from typing import NamedTuple

from memrunbook.core.oomlog.event import UNKILLABLE, USUAL_PAGE_KIB, Event, Task

SHOWN, LIKELY = 3, 8
KIB = 1024
SUMMED = ("rss", "swapents", "oom_score_adj")
WANTED = ("total_vm", "rss", "swapents", "oom_score_adj", "nr_ptes", "nr_pmds", "pgtables_bytes")
LONGEST_FRAME = 300
_HEADER = re.compile(r"\[ *pid *\] +(uid .*)$")
_ROW = re.compile(r"\[ *(\d{1,10})\] +(\S.*)")
_NUMBER = re.compile(r"-?\d{1,18}")
BELOW = (b"oom-kill:", b"ut of memory")
_CELL = rb"(-?[0-9]{1,18}+)"
_VARYING = re.compile(rb"[0-9 ]+")


class Layout(NamedTuple):
    """The columns of a table, and what stands in front of its header: that of its rows differs in numbers only."""

    names: tuple[str, ...]
    frame: bytes


class Patterns(NamedTuple):
    """One row with the wanted columns and the name as groups; the same with what is summed; rows one after another."""

    row: re.Pattern[bytes]
    cells: re.Pattern[bytes]
    rows: re.Pattern[bytes]


def columns(text: str) -> list[str]:
    """The columns after the pid, the name last, also where the line was cut; none where it is no header."""
    found = _HEADER.match(text)
    return [*found[1].split()[:-1], "name"] if found else []


def row(event: Event, names: list[str], text: str) -> bool:
    """Adds a row to the event's totals and to its largest tasks; says whether it was one."""
    found = _ROW.match(text)
    values = found[2].split(None, len(names) - 1) if found else []
    if found is None or len(values) < len(names) - 1:
        return False
    cells = {name: int(value) for name, value in zip(names, values, strict=False) if _NUMBER.fullmatch(value)}
    name = values[-1] if len(values) == len(names) else ""
    _add(event, [_task(event, int(found[1]), name, cells)])
    event.tasks += 1
    event.task_pages += cells.get("rss", 0)
    return True


def rows(event: Event, layout: Layout, block: bytes, start: int, *, mixed: bool) -> int:
    """Adds the rows that stand one after another from `start` on; returns where they end.

    `mixed`: other lines are among them.
    """
    if len(layout.frame) > LONGEST_FRAME:
        return start
    patterns = _patterns(layout.names, _VARYING.sub(b" ", layout.frame))
    if patterns.row.match(block, start) is None:
        return start
    end = start if mixed else _likely_end(block, start)
    found = patterns.cells.findall(block, start, end)
    if mixed or len(found) != block.count(b"\n", start, end):  # others are among them: up to the first of those
        found = patterns.cells.findall(block, start, end := next(patterns.rows.finditer(block, start)).end())
    columns = dict(zip(("pid", *_among(layout.names, SUMMED)), zip(*found, strict=True), strict=False))
    lines = block[start:end].split(b"\n")
    _add(event, [_read(event, layout, patterns.row, lines[place]) for place in _largest(event, columns, len(found))])
    event.tasks += len(found)
    event.task_pages += sum(map(int, columns.get("rss", ())))
    return end


def _likely_end(block: bytes, start: int) -> int:
    """The line that follows a table; the end of the block where there is none."""
    end = len(block)
    for word in BELOW:
        place = block.find(word, start, end)
        end = place if place >= 0 else end
    return block.rfind(b"\n", start, end) + 1 or start


def _largest(event: Event, columns: Mapping[str, Sequence[bytes]], count: int) -> list[int]:
    """The places of the rows that hold most, and of those that the kernel would kill first."""
    held = list(map(add, _numbers(columns.get("rss"), count), _numbers(columns.get("swapents"), count)))
    adjusted = _numbers(columns.get("oom_score_adj"), count)
    if not any(adjusted):
        return sorted(_top(held, LIKELY))
    scale = _allowed_pages(event) / -UNKILLABLE
    points = [size + adjustment * scale for size, adjustment in zip(held, adjusted, strict=True)]
    return sorted({*_top(held, SHOWN), *_top(points, LIKELY)})


def _numbers(cells: Sequence[bytes] | None, count: int) -> list[int]:
    return list(map(int, cells)) if cells else [0] * count


def _read(event: Event, layout: Layout, pattern: re.Pattern[bytes], line: bytes) -> Task:
    (found,) = pattern.findall(line + b"\n")
    cells = {name: int(cell) for name, cell in zip(_among(layout.names, WANTED), found[1:], strict=False)}
    return _task(event, int(found[0]), found[-1].decode("utf-8", "backslashreplace").lstrip(), cells)


def _among(names: Iterable[str], wanted: Container[str]) -> list[str]:
    return [name for name in names if name in wanted]


def badness(event: Event, task: Task) -> int:
    """The kernel's points of a task in pages (mm/oom_kill.c, oom_badness, since 2.6.36)."""
    adjustment = (task.oom_score_adj or 0) * _allowed_pages(event) // -UNKILLABLE
    return task.pages + task.page_tables + adjustment


def _allowed_pages(event: Event) -> int:
    """All memory that the event's tasks could have had, in pages."""
    page = event.page_kib or USUAL_PAGE_KIB
    if event.limit_kib is not None:
        return event.limit_kib // page
    return (event.ram_pages or 0) + (event.total_swap_kib or 0) // page


def _task(event: Event, pid: int, name: str, cells: dict[str, int]) -> Task:
    tables = cells.get("pgtables_bytes", 0) // ((event.page_kib or USUAL_PAGE_KIB) * KIB)
    tables += cells.get("nr_ptes", 0) + cells.get("nr_pmds", 0)
    held = cells.get("rss", 0), cells.get("swapents", 0)
    return Task(pid, name, *held, cells.get("oom_score_adj"), tables, cells.get("total_vm", 0))


def _add(event: Event, tasks: list[Task]) -> None:
    event.largest = sorted([*event.largest, *tasks], key=lambda task: task.pages, reverse=True)[:SHOWN]
    mortal = [task for task in tasks if task.oom_score_adj != UNKILLABLE]
    if mortal:
        points = {task: badness(event, task) for task in (*event.likeliest, *mortal)}
        event.likeliest = sorted(points, key=points.__getitem__, reverse=True)[:LIKELY]


def _top(values: Sequence[float], count: int) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__, reverse=True)[:count]


@lru_cache(maxsize=64)
def _patterns(names: tuple[str, ...], frame: bytes) -> Patterns:
    """The patterns of rows behind a frame that differs from the header's in numbers only."""
    before = rb"[0-9 ]++".join(re.escape(part) for part in frame.split(b" ")) + rb"\[ *"
    after = rb"(?: [^\n]*+)?+\n"

    def cells(wanted: Container[str]) -> bytes:
        return b"".join(rb" ++" + (_CELL if name in wanted else _CELL[1:-1]) for name in names[:-1])

    every = before + rb"([0-9]{1,10}+)\]" + cells(WANTED) + rb"(?: ([^\n]*+))?+\n"
    few = before + rb"([0-9]{1,10}+)\]" + cells(SUMMED) + after + b"()"  # one group alone would give no tuples
    none = before + rb"[0-9]{1,10}+\]" + cells(()) + after
    return Patterns(re.compile(b"(?m)^" + every), re.compile(b"(?m)^" + few), re.compile(b"(?:" + none + b")*+"))
