"""The table of tasks inside an out-of-memory event, read by its header: columns differ between kernels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from memrunbook.core.oomlog.event import UNKILLABLE, USUAL_PAGE_KIB, Event, Task

SHOWN, LIKELY = 3, 8
KIB = 1024
WANTED = ("total_vm", "rss", "swapents", "oom_score_adj", "nr_ptes", "nr_pmds", "pgtables_bytes")
LONGEST_FRAME = 300
_HEADER = re.compile(r"\[ *pid *\] +(uid .*)$")
_ROW = re.compile(r"\[ *(\d{1,10})\] +(\S.*)")
_NUMBER = re.compile(r"-?\d{1,18}")
BELOW = (b"oom-kill:", b"ut of memory")
_VARYING = re.compile(rb"[0-9 ]+")


class Layout(NamedTuple):
    """The columns of a table, and what stands in front of its header: that of its rows differs in numbers only."""

    names: tuple[str, ...]
    frame: bytes


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
    wanted = ("pid", *(name for name in layout.names if name in WANTED))
    one, many = _patterns(layout.names, _VARYING.sub(b" ", layout.frame))
    if one.match(block, start) is None:
        return start
    end = _likely_end(block, start)
    found = [] if mixed else one.findall(block, start, end)
    if len(found) != block.count(b"\n", start, end):  # others are among them: up to the first of those
        found = one.findall(block, start, end := next(many.finditer(block, start)).end())
    _add_all(event, wanted, found)
    return end


def _likely_end(block: bytes, start: int) -> int:
    """The line that follows a table; the end of the block where there is none."""
    places = [block.find(word, start) for word in BELOW]
    place = min((place for place in places if place >= 0), default=len(block))
    return block.rfind(b"\n", start, place) + 1 or start


def _add_all(event: Event, wanted: Sequence[str], found: list[tuple[bytes, ...]]) -> None:
    columns = dict(zip(wanted, zip(*found, strict=True), strict=False))
    memory = list(map(int, columns.get("rss", ()))) or [0] * len(found)
    held = list(map(int.__add__, memory, _numbers(columns.get("swapents"), len(found))))
    adjusted, scale = _numbers(columns.get("oom_score_adj"), len(found)), _allowed_pages(event) / -UNKILLABLE
    points = [size + adjustment * scale for size, adjustment in zip(held, adjusted, strict=True)]
    tasks = []
    for place in {*_top(held, SHOWN), *_top(points, LIKELY)}:
        cells = {name: int(cell) for name, cell in zip(wanted, found[place], strict=False)}
        name = found[place][-1].decode("utf-8", "backslashreplace").lstrip()
        tasks.append(_task(event, cells["pid"], name, cells))
    _add(event, tasks)
    event.tasks += len(found)
    event.task_pages += sum(memory)


def _numbers(cells: Sequence[bytes] | None, count: int) -> list[int]:
    """Most cells of a table are alike: each number is read once."""
    known = {cell: int(cell) for cell in set(cells or ())}
    return [known[cell] for cell in cells] if cells else [0] * count


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
def _patterns(names: tuple[str, ...], frame: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A row behind a frame that differs from the header's in numbers only, and many of them in a row.

    The wanted columns and the name are the first one's groups.
    """
    before = rb"[0-9 ]+".join(re.escape(part) for part in frame.split(b" "))
    cells = b"".join(rb" +(-?\d{1,18})" if name in WANTED else rb" +-?\d{1,18}" for name in names[:-1])
    row = before + rb"\[ *(\d{1,10})\]" + cells + rb"(?: ([^\n]*))?\n"
    bare = re.sub(rb"\((?!\?)", b"(?:", row.replace(rb"\(", b"\0")).replace(b"\0", rb"\(")
    return re.compile(b"(?m)^" + row), re.compile(b"(?:" + bare + b")*")
