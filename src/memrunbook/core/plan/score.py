"""What became of the cases in which a schedule would have acted: judged by what is kept of the time after. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.limits import PastChange, PastRun
from memrunbook.core.plan.shadows import Case
from memrunbook.core.reading.baseline import KILLS, UNIT_OWN
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import DAY, HOUR, MINUTE

Fate = Literal["recovered", "our run", "restarted by hand", "rebooted", "OOM kill", "over", "holds", "unknown"]
"""It went by itself; a run of ours did something meanwhile; somebody restarted what it would have changed; the host
rebooted; the OOM killer was at work; it is over, and not known how; it was there when last looked, of late; nothing is
known."""
TraceKind = Literal["kills", "boot", "change", "began anew", "over", "run", "unreached", "unjudged", "unread", "clock"]
"""What is known of the time after: OOM kills, a new boot, a change by a run, a new run of a unit that no run of ours
began, a sighting or a run that found it over, a host that was not reached or not judged, a unit or the count of OOM
kills of which nothing is known, a clock that went back."""
WENT_WELL = frozenset({"healthy", "resolved"})
DONE = frozenset({"done", "executed"})
SLACK = MINUTE
"""Seconds that a point of the history may be from the sighting that left it."""


class Trace(Struct, frozen=True, kw_only=True):
    """One thing that is known: between which moments (seconds since 1970), of what, how often, by which run, and why.

    `sure` is false where it may have been before the case began, or after it had ended.
    """

    what: TraceKind
    after: float
    before: float
    of: str = ""
    count: int = 0
    run: str = ""
    why: str = ""
    sure: bool = True


class ScoredCase(Struct, frozen=True, kw_only=True):
    """A case and what became of it; `seconds` is how long it was there, or, where it is not known to be over, seen."""

    case: Case
    fate: Fate
    seconds: float
    traces: tuple[Trace, ...]


class Aftermath(Struct, frozen=True):
    """What is kept of a host since a case began: series of the history, changes and runs of ours."""

    series: tuple[Series, ...] = ()
    changes: tuple[PastChange, ...] = ()
    runs: tuple[PastRun, ...] = ()


class _Look(Struct, frozen=True):
    """What a sighting, or a point of the history, says of a host's boot and its OOM kills."""

    since: float
    until: float
    boot: str
    kills: int | None


def judge(case: Case, kept: Aftermath, now: float) -> ScoredCase:
    """What became of a case."""
    closing = _closing(case, kept.runs)
    began, until = case.first.since, case.held_until
    end = now if closing is None else closing.before
    looks = _looks(case, kept.series, end)
    host = [*_boots(looks), *_kills(looks)]
    changes = [*_changes(case, kept.changes, end)]
    units = [*_units(case, kept.series, end, closed=closing is not None)]
    units = [one for one in units if one.what == "unread" or not _explained(one, [*host, *changes])]
    rest = [*_gaps(case, looks), *_back(case)]
    traces = [*host, *changes, *units, *rest, *([] if closing is None else [closing])]
    known = sorted(traces, key=lambda one: one.before)
    fate = _fate_of_over(known) if closing is not None else _fate_of_open(case, known, now)
    seconds = max(0.0, (until if closing is None else end) - began)
    return ScoredCase(case=case, fate=fate, seconds=seconds, traces=tuple(known))


def _closing(case: Case, runs: Iterable[PastRun]) -> Trace | None:
    """What found it over: a later firing, or a run of the same runbook."""
    if case.after is not None:
        after = case.after
        return Trace(what="over", after=case.held_until, before=after.since, of=after.firing)
    last = case.held_until
    well = [one for one in runs if one.runbook == case.first.runbook and one.outcome in WENT_WELL and one.at > last]
    return Trace(what="run", after=last, before=well[0].at, run=well[0].run) if well else None


def _looks(case: Case, series: Iterable[Series], end: float) -> list[_Look]:
    """All that was seen of the host itself, in order; behind the last sighting by the history's points."""
    seen = [*case.sightings, *([] if case.after is None else [case.after])]
    known = [_Look(one.since, one.until, one.boot, one.kills) for one in seen if one.boot or one.kills is not None]
    points = next((one.points for one in series if one.figure == KILLS), ())
    last = known[-1].until if known else case.first.since
    later = [one for one in points if last + SLACK < one.at <= end + SLACK and case.end == "open"]
    return [*known, *(_Look(one.at, one.at, one.life, round(one.value)) for one in later)]


def _boots(looks: Sequence[_Look]) -> Iterator[Trace]:
    for before, after in pairwise([one for one in looks if one.boot]):
        if before.boot != after.boot:
            yield Trace(what="boot", after=before.until, before=after.since)


def _kills(looks: Sequence[_Look]) -> Iterator[Trace]:
    for before, after in pairwise([one for one in looks if one.kills is not None]):
        count = (after.kills or 0) - ((before.kills or 0) if before.boot == after.boot else 0)
        if count > 0:
            yield Trace(what="kills", after=before.until, before=after.since, count=count)


def _changes(case: Case, changes: Iterable[PastChange], end: float) -> Iterator[Trace]:
    """What runs of ours did meanwhile; `why` is how it ended where that was not well."""
    for one in changes:
        if case.first.since < one.begun <= end and one.risk:
            why = "" if one.state in DONE else one.state or "unknown"
            done = end if one.ended is None else one.ended
            of = f"{one.action}:{one.target}"
            yield Trace(what="change", after=one.begun, before=done, of=of, run=one.run, why=why)


def _units(case: Case, series: Iterable[Series], end: float, *, closed: bool) -> Iterator[Trace]:
    """New runs of the units that would have been changed, and those of which that is not known."""
    known = {one.name: one.points for one in series if one.figure == UNIT_OWN}
    began = case.first.since
    for name in dict.fromkeys(one.target for one in case.steps if _restarts(one.action, one.target)):
        points = known.get(kept_name(name), ())
        covered = bool(points) and points[0].at <= began + HOUR and points[-1].at >= end - HOUR
        if not covered and closed:
            yield Trace(what="unread", after=began, before=end, of=name)
        yield from _anew(name, points, began, end)


def _anew(name: str, points: Sequence[Observation], began: float, end: float) -> Iterator[Trace]:
    for before, after in pairwise(points):
        if before.life and after.life and before.life != after.life and after.at > began and before.at < end:
            sure = before.at >= began - SLACK and after.at <= end + SLACK
            yield Trace(what="began anew", after=before.at, before=after.at, of=name, sure=sure)


def _restarts(action: str, target: str) -> bool:
    """True for what runs by itself: it may be restarted by somebody else, too."""
    return target.endswith(".service") or action == "restart_container"


def _explained(one: Trace, by: Iterable[Trace]) -> bool:
    """True for a new run of a unit that a kill, a boot or a change of ours, all of the same time, explains."""
    return any(
        not other.why and other.after <= one.before + 1 and other.before >= one.after - 1
        for other in by
    )  # fmt: skip


def _gaps(case: Case, looks: Sequence[_Look]) -> Iterator[Trace]:
    """When the host could not be looked at or judged, and whether its OOM kills are known."""
    for one in case.sightings:
        if not one.holds:
            what: TraceKind = "unreached" if one.found == "unreached" else "unjudged"
            yield Trace(what=what, after=one.since, before=one.until, count=one.count, why=one.why)
    if not looks or looks[0].kills is None or looks[-1].kills is None:
        yield Trace(what="unread", after=case.first.since, before=case.held_until)


def _back(case: Case) -> Iterator[Trace]:
    seen = [*case.sightings, *([] if case.after is None else [case.after])]
    for before, after in pairwise(seen):
        if after.since < before.until:
            yield Trace(what="clock", after=after.since, before=before.until)


def _fate_of_over(traces: Sequence[Trace]) -> Fate:
    """The worst first; by itself only where it is known that nothing else was."""
    found = {one.what for one in traces if one.sure and not (one.what == "change" and one.why)}
    for what, fate in _FATES:
        if what in found:
            return fate
    in_doubt = any(one.what in ("unread", "clock") or not one.sure for one in traces)
    return "over" if in_doubt else "recovered"


def _fate_of_open(case: Case, traces: Sequence[Trace], now: float) -> Fate:
    """What came after it was last seen counts; an OOM kill whenever it came."""
    last = case.held_until
    late = [one for one in traces if one.what == "kills" or one.before > last]
    fate = _fate_of_over([one for one in late if one.what in dict(_FATES)])
    if fate not in ("recovered", "over"):
        return fate
    newest = case.sightings[-1]
    if case.end != "open" or not newest.holds:
        return "unknown"
    patience = max(2 * newest.widest, HOUR) if newest.count > 1 else DAY
    return "holds" if now - newest.until <= patience else "unknown"


_FATES: tuple[tuple[TraceKind, Fate], ...] = (
    ("kills", "OOM kill"),
    ("boot", "rebooted"),
    ("change", "our run"),
    ("began anew", "restarted by hand"),
)
