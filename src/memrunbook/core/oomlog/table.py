"""The table of tasks inside an out-of-memory event, read by its header: columns differ between kernels."""

from __future__ import annotations

import re

from memrunbook.core.oomlog.event import Event, Task

SHOWN = 3
_HEADER = re.compile(r"\[ *pid *\] +(uid .*)$")
_ROW = re.compile(r"\[ *(\d{1,10})\] +(\S.*)")
_NUMBER = re.compile(r"-?\d{1,18}")


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
    task = Task(int(found[1]), name, cells.get("rss", 0), cells.get("swapents", 0), cells.get("oom_score_adj"))
    event.tasks += 1
    event.task_pages += task.rss
    if len(event.largest) < SHOWN or task.pages > event.largest[-1].pages:
        event.largest = sorted([*event.largest, task], key=lambda one: one.pages, reverse=True)[:SHOWN]
    return True
