"""How much may be done: what was done before, on this host and on others, says when it is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.units import DAY, HOUR, MINUTE, format_duration

HELPED = "resolved"
"""The only outcome of a run that changed something after which the incident is over; whatever cut it short did not."""
NO_GOOD = frozenset({"failed", "undone", "unknown"})
"""States of a change on another host after which the next host waits for a person."""
STALE = HOUR
"""Seconds after which a change without an end blocks no other host any more: whoever made it has died."""
AHEAD = HOUR
"""Seconds: what was remembered of a time further ahead was told by a clock that was wrong, and counts for nothing."""


class PastChange(Struct, frozen=True, kw_only=True):
    """A change that some run made or makes; times in seconds since 1970, `ended` None while its end is not known.

    `machine` is the host's own mark (empty where it has none): it is one host by whatever name it is reached. `peers`
    are names, or patterns of names, of hosts that must not be disturbed while it lasts.
    """

    run: str
    host: str
    action: str
    target: str
    risk: int
    begun: float
    ended: float | None = None
    state: str = ""
    machine: str = ""
    actor: str = ""
    peers: tuple[str, ...] = ()


class PastRun(Struct, frozen=True, kw_only=True):
    """How an earlier run of a runbook ended on a host; `changed` whether it made any change."""

    run: str
    host: str
    runbook: str
    outcome: str
    at: float
    changed: bool


class History(Struct, frozen=True):
    """What is remembered: changes of all hosts, runs of this host, both oldest first."""

    changes: tuple[PastChange, ...] = ()
    runs: tuple[PastRun, ...] = ()


class Here(Struct, frozen=True, kw_only=True):
    """Where and when something is about to be done; `hosts` are all that this run is for.

    `besides` are runs that began the same, of which it is not known whether it happened: they do not count. `peers`
    are the hosts that the inventory lets nobody disturb together with this one.
    """

    run: str
    host: str
    runbook: str
    now: float
    hosts: int = 1
    besides: tuple[str, ...] = ()
    machine: str = ""
    peers: tuple[str, ...] = ()


STORM = "that looks like a bad deploy or a bad rule"
"""What is said where many hosts want the same at once."""


class Limits(Struct, frozen=True, kw_only=True):
    """What is enough; times in seconds. Of domain.md, "Budget", and safety.md, "Locks and limits", "Storms"."""

    cool_down: float = 15 * MINUTE
    most_in_run: int = 3
    most_in_hour: int = 6
    restart_every: float = HOUR
    most_in_week: int = 4
    most_without_help: int = 3
    without_help_within: float = DAY
    storm_hosts: int = 3
    storm_percent: float = 2.0
    storm_within: float = 15 * MINUTE


def held_back(change: Change, here: Here, history: History, limits: Limits) -> tuple[str, ...]:
    """Why a change should not be made without a person's word, the weightiest reason first; empty where it may.

    What changes nothing is never held back, nor what only this run did apart from its budget. Of low risk (it is taken
    back exactly, or costs performance) only runs that did not help are counted.
    """
    if change.repeat is Repeat.READ:
        return ()
    history = _believed(history, here.now)
    reasons = [*_without_help(here, history, limits)]
    if change.risk >= Risk.MEDIUM:
        same = [one for one in history.changes if _same(one, change) and one.run not in here.besides]
        reasons += [*_storm(change, here, same, limits), *_no_good_elsewhere(change, here, same, limits)]
        reasons += [*_budget(here, history, limits)]
        reasons += [*_again_and_again(change, here, same, limits), *_cool_down(change, here, same, limits)]
    return tuple(reasons)


def _believed(history: History, now: float) -> History:
    """Without what is of a time that is still to come: for as long as that clock was ahead it would hold a host back.

    What is a little ahead may be of another control node, and counts as if it were now.
    """
    changes = tuple(one for one in history.changes if one.begun <= now + AHEAD)
    return History(changes, tuple(one for one in history.runs if one.at <= now + AHEAD))


def _same(one: PastChange, change: Change) -> bool:
    return (one.action, one.target) == (change.action, change.target)


def busy_elsewhere(change: Change, here: Here, history: History) -> PastChange | None:
    """What another host is in the middle of, so that this change has to wait; None where it may begin.

    One host at a time may have the same target disturbed, or as many as `services.yaml` allows of a unit, and of peers
    one at a time, whatever is done there: of those that `services.yaml` or the inventory names, here or over there.
    """
    if change.risk < Risk.MEDIUM:
        return None
    under_way = [one for one in _believed(history, here.now).changes if _under_way(one, here)]
    same = [one for one in under_way if one.target == change.target]
    if len({one.machine or one.host for one in same}) >= (change.care.max_parallel if change.care else 1):
        return same[-1]
    return next((one for one in under_way if is_at_a_peer(one, change, here)), None)


def is_at_a_peer(one: PastChange, change: Change, here: Here) -> bool:
    """True where that is made on a host that must not be disturbed while this change is made, or the other way."""
    return _among(one.host, peers_of(change, here)) or _among(here.host, one.peers)


def peers_of(change: Change, here: Here) -> tuple[str, ...]:
    """The hosts, by name or pattern, that must not be disturbed while this change is made."""
    return tuple(dict.fromkeys((*here.peers, *(change.care.peers if change.care else ()))))


def _among(host: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(host, name) for name in names)


def _under_way(one: PastChange, here: Here) -> bool:
    fresh = one.ended is None and here.now - one.begun < STALE
    return fresh and not _at(one, here) and one.risk >= Risk.MEDIUM


def _no_good_elsewhere(change: Change, here: Here, same: Sequence[PastChange], limits: Limits) -> Iterator[str]:
    """The same just did not do well on another host: the next one starts only after health has held there."""
    for one in reversed(same):
        ago = here.now - (one.ended or one.begun)
        if not _at(one, here) and one.state in NO_GOOD and ago < limits.storm_within:
            yield (
                f"{change.target}: on {one.host} the same ended {format_duration(max(0.0, ago))} ago as {one.state} "
                f"(run {one.run}): look there first{_holds(limits.storm_within - ago)}"
            )
            return


def _cool_down(change: Change, here: Here, same: Sequence[PastChange], limits: Limits) -> Iterator[str]:
    earlier = [one for one in same if _at(one, here) and one.run != here.run]
    if not earlier:
        return
    last = earlier[-1]
    ago = max(0.0, here.now - (last.ended or last.begun))  # a clock that was put back makes it no older than now
    if ago < limits.cool_down:
        left = format_duration(limits.cool_down - ago)
        yield (
            f"{change.target}: the same was done {format_duration(ago)} ago by run {last.run}; "
            f"what it did shows only later (cool-down, {left} left)"
        )


def _again_and_again(change: Change, here: Here, same: Sequence[PastChange], limits: Limits) -> Iterator[str]:
    """The same disruptive change of the same target on this host: each one helped only until the next."""
    earlier = [one for one in same if _at(one, here) and one.run != here.run and here.now - one.begun < 7 * DAY]
    if earlier and limits.cool_down <= here.now - earlier[-1].begun < limits.restart_every:
        ago = format_duration(here.now - earlier[-1].begun)
        left = _holds(earlier[-1].begun + limits.restart_every - here.now)
        yield f"{change.target} had this {ago} ago by run {earlier[-1].run}: more than once an hour is no cure{left}"
    if len(earlier) >= limits.most_in_week:
        times = [one.begun for one in earlier] + [here.now]
        helped = (times[-1] - times[0]) / (len(times) - 1)
        yield (
            f"{change.target} had this {len(earlier)} times in 7 days, each helped about {format_duration(helped)}: "
            f"what is behind it is not mended{_holds(earlier[-limits.most_in_week].begun + 7 * DAY - here.now)}"
        )


def _budget(here: Here, history: History, limits: Limits) -> Iterator[str]:
    disruptive = [one for one in history.changes if _here(one, here) and one.risk >= Risk.MEDIUM]
    if len(disruptive) >= limits.most_in_run:
        yield f"this run made {len(disruptive)} changes here already that users may notice: that is its budget"
    lately = [one for one in history.changes if _lately(one, here)]
    if len(lately) >= limits.most_in_hour:
        left = _holds(lately[-limits.most_in_hour].begun + HOUR - here.now)
        made = f"{len(lately)} changes that users may notice were made here within the last hour"
        yield f"{made}: that is the budget{left}"


def _lately(one: PastChange, here: Here) -> bool:
    return _at(one, here) and one.risk >= Risk.MEDIUM and here.now - one.begun < HOUR


def _here(one: PastChange, here: Here) -> bool:
    return one.run == here.run and _at(one, here)


def _at(one: PastChange, here: Here) -> bool:
    """True for a change of this very host, by whatever name."""
    return one.host == here.host or bool(here.machine and one.machine == here.machine)


def _without_help(here: Here, history: History, limits: Limits) -> Iterator[str]:
    """The newest runs of this runbook on this host, without a break, changed something and did not help."""
    row, seen = list[float](), {here.run}
    for one in reversed(history.runs):
        if one.run in seen:  # a run that was gone on with has an end for each time
            continue
        seen.add(one.run)
        if one.runbook != here.runbook or here.now - one.at > limits.without_help_within:
            continue
        if not one.changed:
            continue
        if one.outcome == HELPED:
            break
        row.append(one.at)
    if len(row) >= limits.most_without_help:
        within = format_duration(limits.without_help_within)
        runs = f"{len(row)} run{'s' * (len(row) != 1)} of {here.runbook}"
        left = _holds(row[limits.most_without_help - 1] + limits.without_help_within - here.now)
        yield f"{runs} in {within} did not end the incident here: a person must look first{left}"


def _storm(change: Change, here: Here, same: Sequence[PastChange], limits: Limits) -> Iterator[str]:
    """Many hosts that want the same at once: a bad deploy or a bad rule, not a leak."""
    others = [one for one in same if not _at(one, here) and here.now - one.begun < limits.storm_within]
    newest = sorted({one.machine or one.host: one.begun for one in others}.values(), reverse=True)
    most = max(limits.storm_hosts, int(here.hosts * limits.storm_percent / 100))
    if len(newest) >= most:
        within = format_duration(limits.storm_within)
        left = _holds(newest[most - 1] + limits.storm_within - here.now)
        yield (
            f"{change.target}: {len(newest)} other hosts had the same change within {within}; "
            f"{STORM}, not like a leak: stop the rollout or the rule that asks for "
            f"it (runbook off stops all of us), and look at one of them first{left}"
        )


def _holds(seconds: float) -> str:
    """When it lets go by itself, if nothing more happens: whoever is told needs to know whether to get up."""
    return f" (holds for {format_duration(max(0.0, seconds))} more)"
