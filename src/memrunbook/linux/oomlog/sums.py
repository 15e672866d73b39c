"""What all processes of one name hold together: seventeen small workers may be the hog, and none of them is large."""

from __future__ import annotations

from collections.abc import Iterable

from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, LogEvent, NameSum

MOST_NAMES = 1000
"""Names that are kept while a table is read; of more, those that hold least are forgotten."""
KEPT = 3
COUNTED_KIB = 1024
"""A process that holds less is none of the many: the parent that only waits."""
TOGETHER = 1.5
"""So much more than the largest of them must they hold to count as many: one large process stays that one."""


def add(event: LogEvent, names: Iterable[bytes], pages: Iterable[int]) -> None:
    """Adds processes by their names, as the log has them, and what each holds."""
    found: dict[bytes, list[int]] = {}
    least = COUNTED_KIB // (event.page_kib or USUAL_PAGE_KIB)
    for name, size in zip(names, pages, strict=True):
        known = found.get(name)
        if known is None:
            found[name] = [size >= least, size, size]
        else:
            known[0] += size >= least
            known[1] += size
            if size > known[2]:  # noqa: PLR1730  a million rows: max() costs half as much again
                known[2] = size
    sums = event.sums = dict(event.sums)
    for name, (many, held, largest) in found.items():
        before = sums.get(name, NameSum(0, 0, 0))
        sums[name] = NameSum(before.many + many, before.pages + held, max(before.largest, largest))
    if len(sums) > MOST_NAMES:
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
