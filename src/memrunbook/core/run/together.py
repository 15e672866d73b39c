"""Joins what several hosts of one run have to say: one message, not one a host."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from memrunbook.core.ranges import compact
from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.core.text import clean

SHOWN_HOSTS = 10
LONGEST_LIST = 120
SAID: Mapping[Occasion, str] = {
    "needs-approval": "a plan waits for a person",
    "failed": "a run failed",
    "unresolved": "the incident is not over",
    "refused": "a run was refused",
    "unreachable": "not reached",
    "breaker-open": "limits hold changes back until a person has looked",
    "dead-man": "the scheduler does not run",
    "restored": "the scheduler runs again",
}
"""What each occasion means, in words."""


def together(notifications: Iterable[Notification], report_of: Callable[[str], str]) -> list[Notification]:
    """The same in as few messages as may be: hosts with the same occasion, of one runbook and one run, are one.

    `report_of` is the command that shows a run, by its id.
    """
    groups: dict[tuple[str, ...], list[Notification]] = {}
    for number, one in enumerate(notifications):
        alone = "" if one.host else str(number)
        groups.setdefault((alone, one.occasion, one.run, one.runbook, one.schedule), []).append(one)
    return [several[0] if len(several) == 1 else _joined(several, report_of) for several in groups.values()]


def _joined(several: Sequence[Notification], report_of: Callable[[str], str]) -> Notification:
    first, own = several[0], len({one.command for one in several}) > 1
    names = clean(", ".join(compact(one.host for one in several)), LONGEST_LIST)
    keys = sorted({one.key for one in several})
    of_all = hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).hexdigest()
    more = len(several) - SHOWN_HOSTS
    rest = (f"and {more} more hosts",) if more > 0 else ()
    told = [
        line for one in several[:SHOWN_HOSTS] for line in (one.verdict, *([f"  {one.command}"] if own else [])) if line
    ]
    return Notification(
        occasion=first.occasion,
        key=keys[0] if len(keys) == 1 else f"{first.occasion} {of_all}",
        at=max(one.at for one in several),
        verdict=f"{len(several)} hosts ({names}): {SAID[first.occasion]}: {first.runbook}",
        runbook=first.runbook,
        schedule=first.schedule,
        run=first.run,
        evidence=(*told, *rest),
        command=report_of(first.run) if own and first.run else first.command,
        covers=tuple(keys),
    )
