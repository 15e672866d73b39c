"""What schedules that only plan found on hosts, firing by firing, and the cases that this makes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct, structs

from memrunbook.core.action.action import Risk

HostFound = Literal["acts", "stuck", "over", "unknown", "unreached"]
"""The incident applies and there is something to do; it applies and nothing may be done about it; it does not apply;
whether it applies could not be judged; the host was not reached."""
CaseEnd = Literal["open", "over", "another machine", "another runbook"]
"""No firing has found it over yet; one has; another machine answers by the host's name; the schedule has changed."""


class Shadow(Struct, frozen=True, kw_only=True):
    """A change that a schedule which only plans would have made on a host; `at` is in seconds since 1970.

    `risk` is a number as of actions, None where it was not kept. `asks`: the schedule may not do it, a person would
    have been asked. `provisional`: only if what stands before it had not helped.
    """

    firing: str
    schedule: str
    host: str
    machine: str
    runbook: str
    at: float
    step: str
    action: str
    target: str
    summary: str
    digest: str
    risk: int | None = None
    asks: bool = False
    provisional: bool = False

    @property
    def risk_word(self) -> str:
        """Its risk in a word; empty where it was not kept."""
        return "" if self.risk is None else Risk(self.risk).word


class HostSighting(Struct, frozen=True, kw_only=True):
    """What firings in a row found of a host, as long as nothing changed; times in seconds since 1970.

    `since` is the first of them, by `firing`, `until` the last, of `count`; `widest` the longest time between two.
    `kills` is how often the OOM killer was at work since the host's `boot`; None where that was not read.
    """

    schedule: str
    host: str
    runbook: str
    found: HostFound
    firing: str
    since: float
    until: float
    machine: str = ""
    boot: str = ""
    kills: int | None = None
    why: str = ""
    count: int = 1
    widest: float = 0.0

    @property
    def holds(self) -> bool:
        """True where the incident certainly applied."""
        return self.found in ("acts", "stuck")


class Case(Struct, frozen=True, kw_only=True):
    """One incident of a host in which a schedule would have acted: from the first time on until it was found over.

    `sightings` are in the order in which they were made; `after` is the one that ended it, None while none did. `steps`
    are what would have been done, each once.
    """

    sightings: tuple[HostSighting, ...]
    steps: tuple[Shadow, ...]
    end: CaseEnd
    after: HostSighting | None = None

    @property
    def first(self) -> HostSighting:
        """When it would have acted."""
        return self.sightings[0]

    @property
    def held_until(self) -> float:
        """When the incident was last seen."""
        return next(one.until for one in reversed(self.sightings) if one.holds)

    @property
    def asks(self) -> bool:
        """True where even the first thing that it would have done waits for a person."""
        return bool(self.steps) and self.steps[0].asks


class UnforeseenKills(Struct, frozen=True):
    """So often the OOM killer was at work on a host, after one sighting and before another."""

    host: str
    count: int
    after: float
    before: float


def joined(last: HostSighting, new: HostSighting) -> HostSighting | None:
    """Both as one, where the later one found nothing new; None where it did, or the clock went back."""
    same = all(
        getattr(last, key) == getattr(new, key) for key in ("runbook", "found", "machine", "boot", "kills")
    )  # why a host was not reached is told in ever new words
    if not same or new.since < last.until:
        return None
    if new.until == last.until:  # the same one, kept a second time
        return last
    widest = max(last.widest, new.widest, new.since - last.until)
    return structs.replace(last, until=new.until, count=last.count + new.count, widest=widest)


def cases_of(sightings: Iterable[HostSighting], shadows: Sequence[Shadow]) -> tuple[Case, ...]:
    """The cases of one schedule, in the order in which they began."""
    steps: dict[str, list[Shadow]] = {}
    for one in shadows:
        steps.setdefault(one.host, []).append(one)
    found = [case for mine in by_host(sightings) for case in _cases(mine, steps.get(mine[0].host, []))]
    return tuple(sorted(found, key=lambda case: case.first.since))


def unforeseen(sightings: Iterable[HostSighting], cases: Iterable[Case]) -> tuple[UnforeseenKills, ...]:
    """OOM kills on hosts that were watched, of which no case had warned before."""
    warned = {id(one) for case in cases for one in case.sightings}
    found = [
        UnforeseenKills(before.host, count, before.until, after.since)
        for mine in by_host(sightings)
        for before, after in pairwise([one for one in mine if one.kills is not None])
        if id(before) not in warned and (count := risen(before, after))
    ]
    return tuple(sorted(found, key=lambda one: one.after))


def risen(before: HostSighting, after: HostSighting) -> int:
    """OOM kills between two sightings of one machine: a new boot counts from 0."""
    if before.kills is None or after.kills is None or before.machine != after.machine:
        return 0
    return max(0, after.kills - (before.kills if before.boot == after.boot else 0))


def by_host(sightings: Iterable[HostSighting]) -> list[list[HostSighting]]:
    """Those of each host, in the order in which they were made."""
    hosts: dict[str, list[HostSighting]] = {}
    for one in sightings:
        hosts.setdefault(one.host, []).append(one)
    return list(hosts.values())


def _cases(mine: Sequence[HostSighting], shadows: Sequence[Shadow]) -> Iterator[Case]:
    under_way: list[HostSighting] = []
    for one in mine:
        end = _end(under_way[0], one) if under_way else None
        if end is not None and end != "open":
            yield _case(under_way, shadows, end, one if end == "over" else None)
            under_way = []
        if under_way or one.found == "acts":
            under_way.append(one)
    if under_way:
        yield _case(under_way, shadows, "open")


def _end(first: HostSighting, one: HostSighting) -> CaseEnd:
    if one.machine and first.machine and one.machine != first.machine:
        return "another machine"
    if one.runbook != first.runbook:
        return "another runbook"
    return "over" if one.found == "over" else "open"


def _case(
    mine: Sequence[HostSighting], shadows: Sequence[Shadow], end: CaseEnd, after: HostSighting | None = None
) -> Case:
    """With the steps of its firings; those of the first one stand first."""
    firing, acting = mine[0].firing, [one for one in mine if one.found == "acts"]
    steps = [
        one for one in shadows if one.firing == firing or any(seen.since <= one.at <= seen.until for seen in acting)
    ]
    once: dict[tuple[str, str, str], Shadow] = {}
    for one in steps:
        once.setdefault((one.step, one.action, one.target), one)
    return Case(sightings=tuple(mine), steps=tuple(once.values()), end=end, after=after)
