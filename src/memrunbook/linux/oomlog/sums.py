"""What all processes of one name hold together: seventeen small workers may be the hog, and none of them is large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, LogEvent, NameSum

NOBODY = NameSum(0, 0, 0)
MOST_NAMES = 1000
"""Names that are kept while a table is read; of more, those that hold least are forgotten."""
KEPT = 3
COUNTED_KIB = 1024
"""A process that holds less is none of the many: the parent that only waits."""
TOGETHER = 1.5
"""So much more than the largest of them must they hold to count as many: one large process stays that one."""


def add(event: LogEvent, names: Sequence[bytes], pages: Iterable[int], *, every: bool = False) -> None:
    """Adds processes by their names, as the log has them, and what each holds.

    One alone is no crowd and is left out, but where others of its name may come in another call (`every`).
    """
    often = {name for name, count in Counter(names).items() if every or count > 1}
    often |= event.sums.keys() & names if event.sums else set()
    if not often:
        return
    found: dict[bytes, list[int]] = {name: [] for name in often}
    for name, size in zip(names, pages, strict=True):
        if name in often:
            found[name].append(size)
    for name, sizes in found.items():
        _count(event, name, sizes)


def add_one(event: LogEvent, name: bytes, pages: int) -> None:
    """Adds a process whose row stands alone among other lines."""
    _count(event, name, [pages])


def _count(event: LogEvent, name: bytes, sizes: list[int]) -> None:
    least = COUNTED_KIB // (event.page_kib or USUAL_PAGE_KIB)
    many, held, largest = event.sums.get(name, NOBODY)
    many += sum(size >= least for size in sizes)
    event.sums[name] = NameSum(many, held + sum(sizes), max(largest, *sizes))
    if len(event.sums) > MOST_NAMES:
        close(event, MOST_NAMES // 2)


def close(event: LogEvent, kept: int = KEPT) -> None:
    """Its table has ended: only the names that hold most are kept."""
    if len(event.sums) > kept:
        most = sorted(event.sums.items(), key=lambda item: item[1].pages, reverse=True)[:kept]
        event.sums = dict(most)


def crowd(event: LogEvent) -> tuple[str, NameSum] | None:
    """The name whose processes hold most together, where they are many and none of them is most of it."""
    if not event.sums:
        return None
    name, most = max(event.sums.items(), key=lambda item: item[1].pages)
    alone = max([task.pages for task in event.largest], default=0)
    crowded = most.many > 1 and most.pages >= TOGETHER * most.largest and most.pages > alone
    return (name.decode("utf-8", "backslashreplace").strip(), most) if crowded else None
