"""What was changed about one target before, by whom, and how long that helped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.limits import PastChange
from memrunbook.core.reading.series import Observation
from memrunbook.core.units import HOUR

End = Literal["still", "changed again", "began anew", "memory was back", "did not end well", "not known"]
"""What ended the help: nothing yet, the next such change, a new run of it by itself (a crash, a kill, a person), or its
memory at the level that it had before the change. Of a change whose end nobody saw it is not known whether it helped.
"""


class Helped(Struct, frozen=True):
    """One change, and for how many seconds it helped; 0 for one that was not carried out to its end."""

    change: PastChange
    seconds: float
    until: End


def helped(changes: Sequence[PastChange], points: Iterable[Observation], now: float) -> tuple[Helped, ...]:
    """How long each change of one target on one host helped; `points` are the target's own memory, if known."""
    known = _without_hours(changes, points)
    following = [*(after.begun for _, after in pairwise(changes)), None]
    return tuple(_helped(one, after, known, now) for one, after in zip(changes, following, strict=True))


def _without_hours(changes: Sequence[PastChange], points: Iterable[Observation]) -> tuple[Observation, ...]:
    """The points but those in the middle of an hour of a change.

    Old points are the means of hours: in such an hour they tell of before and after as one, and the last mean of the
    life that a restart ended may stand after it.
    """
    hours = {
        hour
        for one in changes
        for hour in range(int(one.begun // HOUR), int((one.begun if one.ended is None else one.ended) // HOUR) + 1)
    }
    return tuple(one for one in points if one.at % HOUR != HOUR / 2 or int(one.at // HOUR) not in hours)


def _helped(change: PastChange, after: float | None, points: Sequence[Observation], now: float) -> Helped:
    if change.ended is None or change.state in ("", "unknown"):
        return Helped(change, 0.0, "not known")
    if change.state not in ("done", "executed"):
        return Helped(change, 0.0, "did not end well")
    ends: list[tuple[float, End]] = [(now, "still") if after is None else (after, "changed again")]
    before = [point for point in points if point.at <= change.begun]
    later = [point for point in points if change.ended < point.at <= ends[0][0]]
    life = next((point.life for point in later if point.life), "")
    ends += [(point.at, "began anew") for point in later if point.life not in ("", life)][:1]
    if before:
        ends += [(point.at, "memory was back") for point in later if point.value >= before[-1].value][:1]
    at, until = min(ends)
    return Helped(change, max(0.0, at - change.ended), until)
