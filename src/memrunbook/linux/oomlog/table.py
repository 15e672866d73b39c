"""The table of tasks inside an out-of-memory event, read by its header: columns differ between kernels."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from functools import lru_cache
from operator import add
from typing import NamedTuple

from memrunbook.linux.oomlog import sums
from memrunbook.linux.oomlog.event import UNKILLABLE, USUAL_PAGE_KIB, LogEvent, Task

SHOWN, LIKELY = 3, 8
KIB = 1024
SUMMED = ("rss", "rss_anon", "swapents", "oom_score_adj")
WANTED = ("total_vm", "rss", "rss_anon", "swapents", "oom_score_adj", "nr_ptes", "nr_pmds", "pgtables_bytes")
LONGEST_FRAME = 300
FEW = 16
"""So few rows in one piece: others of the table may follow behind another line."""
_HEADER = re.compile(r"\[ *pid *\] +(uid .*)$")
_ROW = re.compile(r"\[ *(\d{1,10})\] +(\S.*)")
_NUMBER = re.compile(r"-?\d{1,18}")
BELOW = (b"oom-kill:", b"ut of memory")
_CELL = rb"(-?[0-9]{1,18}+)"
NEVER = str(UNKILLABLE).encode()
_VARYING = re.compile(rb"[0-9 ]+")


class Layout(NamedTuple):
    """The columns of a table, and what stands in front of its header: that of its rows differs in numbers only."""

    names: tuple[str, ...]
    frame: bytes


class Patterns(NamedTuple):
    """The rows of a layout: one with the `wanted` columns as groups, one with those that are `summed`, many."""

    row: re.Pattern[bytes]
    wanted: list[str]
    cells: re.Pattern[bytes]
    summed: list[str]
    rows: re.Pattern[bytes]


def columns(text: str) -> list[str]:
    """The columns after the pid, the name last, also where the line was cut; none where it is no header."""
    found = _HEADER.match(text)
    return [*found[1].split()[:-1], "name"] if found else []


def row(event: LogEvent, names: list[str], text: str) -> bool:
    """Adds a row to the event's totals and to its largest tasks; says whether it was one."""
    found = _ROW.match(text)
    values = found[2].split(None, len(names) - 1) if found else []
    if found is None or len(values) < len(names) - 1:
        return False
    cells = {name: int(value) for name, value in zip(names, values, strict=False) if _NUMBER.fullmatch(value)}
    name = values[-1] if len(values) == len(names) else ""
    _add(event, [_task(event, int(found[1]), name, cells)])
    event.tasks += 1
    event.unkillable += cells.get("oom_score_adj") == UNKILLABLE
    event.task_pages += cells.get("rss", 0)
    own = cells.get("rss_anon", cells.get("rss", 0)) + cells.get("swapents", 0)
    sums.add_one(event, name.encode("utf-8", "backslashreplace"), own)
    return True


def rows(event: LogEvent, layout: Layout, block: bytes, start: int, *, mixed: bool) -> int:
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
    _add_all(event, patterns, found, block[start:end].split(b"\n"), mixed=mixed)
    return end


def _likely_end(block: bytes, start: int) -> int:
    """The line that follows a table; the end of the block where there is none."""
    end = len(block)
    for word in BELOW:
        place = block.find(word, start, end)
        end = place if place >= 0 else end
    return block.rfind(b"\n", start, end) + 1 or start


def _add_all(
    event: LogEvent, patterns: Patterns, found: list[tuple[bytes, ...]], lines: list[bytes], *, mixed: bool
) -> None:
    """Adds rows to the totals; only those that hold most, or that the kernel would kill first, are read in full."""
    *cells, names = zip(*found, strict=True)
    columns = dict(zip(patterns.summed, cells, strict=True))
    none = (b"0",) * len(found)
    memory = list(map(int, columns.get("rss", none)))
    swap = list(map(int, columns.get("swapents", none)))
    held = list(map(add, memory, swap))
    adjusted, scale = columns.get("oom_score_adj", none), _allowed_pages(event) / -UNKILLABLE
    extra = {cell: int(cell) * scale for cell in set(adjusted)}
    points = list(map(add, held, map(extra.__getitem__, adjusted)))
    places = sorted({*_top(held, SHOWN), *_top(points, LIKELY)})
    _add(event, [_read(event, patterns, lines[place]) for place in places])
    event.tasks += len(found)
    event.task_pages += sum(memory)
    event.unkillable += adjusted.count(NEVER)
    own = map(add, map(int, columns["rss_anon"]), swap) if "rss_anon" in columns else held
    sums.add(event, names, own, every=mixed or len(found) < FEW)


def _read(event: LogEvent, patterns: Patterns, line: bytes) -> Task:
    ((pid, *cells, name),) = patterns.row.findall(line + b"\n")
    sizes = dict(zip(patterns.wanted, map(int, cells), strict=True))
    return _task(event, int(pid), name.decode("utf-8", "backslashreplace").lstrip(), sizes)


def badness(event: LogEvent, task: Task) -> int:
    """The kernel's points of a task in pages (mm/oom_kill.c, oom_badness, since 2.6.36)."""
    adjustment = (task.oom_score_adj or 0) * _allowed_pages(event) // -UNKILLABLE
    return task.pages + task.page_tables + adjustment


def _allowed_pages(event: LogEvent) -> int:
    """All memory that the event's tasks could have had, in pages."""
    page = event.page_kib or USUAL_PAGE_KIB
    if event.limit_kib is not None:
        return event.limit_kib // page
    return (event.ram_pages or 0) + (event.total_swap_kib or 0) // page


def _task(event: LogEvent, pid: int, name: str, cells: dict[str, int]) -> Task:
    tables = cells.get("pgtables_bytes", 0) // ((event.page_kib or USUAL_PAGE_KIB) * KIB)
    tables += cells.get("nr_ptes", 0) + cells.get("nr_pmds", 0)
    held = cells.get("rss", 0), cells.get("swapents", 0)
    return Task(pid, name, *held, cells.get("oom_score_adj"), tables, cells.get("total_vm", 0))


def _add(event: LogEvent, tasks: list[Task]) -> None:
    event.largest = sorted([*event.largest, *tasks], key=lambda task: task.pages, reverse=True)[:SHOWN]
    mortal = [task for task in tasks if task.oom_score_adj != UNKILLABLE]
    if mortal:
        points = {task: badness(event, task) for task in (*event.likeliest, *mortal)}
        event.likeliest = sorted(points, key=points.__getitem__, reverse=True)[:LIKELY]


def _top(values: Sequence[float], count: int) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__, reverse=True)[:count]


@lru_cache(maxsize=64)
def _patterns(names: tuple[str, ...], frame: bytes) -> Patterns:
    """The patterns of rows behind a frame that differs from the header's in numbers only; the pid is a group too."""
    before = rb"[0-9 ]++".join(re.escape(part) for part in frame.split(b" ")) + rb"\[ *"
    known = names[:-1]

    def cells(groups: Container[str]) -> bytes:
        return b"".join(rb" ++" + (_CELL if name in groups else _CELL[1:-1]) for name in known)

    whole = before + rb"([0-9]{1,10}+)\]" + cells(WANTED) + rb"(?: ([^\n]*+))?+\n"
    few = before + rb"[0-9]{1,10}+\]" + cells(SUMMED) + rb"(?: ++([^\n]*+))?+\n"
    bare = before + rb"[0-9]{1,10}+\]" + cells(()) + rb"(?: [^\n]*+)?+\n"
    return Patterns(
        re.compile(b"(?m)^" + whole),
        [name for name in known if name in WANTED],
        re.compile(b"(?m)^" + few),
        [name for name in known if name in SUMMED],
        re.compile(b"(?:" + bare + b")*+"),
    )
