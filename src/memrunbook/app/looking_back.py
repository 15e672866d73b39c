"""What is known of hosts from earlier readings: what is usual there, and how much room that leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import structs

from memrunbook import catalog
from memrunbook.app.past_leaks import KNOWN, SWAP_FREE, SeriesKey, past_leaks
from memrunbook.app.remembering import kept_as
from memrunbook.app.stored import Stored, Told
from memrunbook.core.errors import UsageError
from memrunbook.core.reading.baseline import (
    AVAILABLE,
    KILLS,
    USED,
    Baseline,
    HostPast,
    baseline,
    headroom,
    risen,
    used_of,
)
from memrunbook.core.reading.figures import Figure, Holders
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Kind, Series
from memrunbook.core.units import DAY
from memrunbook.documents.library import Library, usual_library
from memrunbook.facts.shared.leaks import Leak
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history.past import Spread, StoredPast
from memrunbook.state.paths import usual_state_dir

USUAL_SINCE = 14.0 * DAY
OF_RAM = frozenset({AVAILABLE, KILLS, SWAP_FREE})
"""What tells how much room a host has, and how often it ran out of it."""
NAMED: Mapping[Kind, str] = {
    "unit": "service",
    "cgroup": "slice or scope",
    "container": "container",
    "process": "process that lived for an hour",
    "kernel": "slab cache",
}
WIDTH = 8
"""Characters of a course: so that a row of it fits into 80 columns."""


@dataclass(frozen=True, kw_only=True)
class LookBackArguments:
    """The hosts by name (none: every one that is known), and from when on (seconds since 1970).

    `metrics` are patterns or facts, `holder` a unit, container, process or cache: those series alone. Without `points`
    the series come without them, and of several hosts only what says how much room they have.
    """

    hosts: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    holder: str = ""
    since: float | None = None
    points: bool = True
    library: Library = field(default_factory=usual_library)
    state: Path = field(default_factory=usual_state_dir)
    store: str = ""


def look_back(arguments: LookBackArguments, told: Told = lambda _said, _hint: None) -> tuple[HostPast, ...]:
    """What is known of these hosts. UsageError for a metric that none has, JournalError where it cannot be read."""
    stored = Stored(arguments.state, arguments.library.config(), arguments.store)
    file = stored.history_file
    if file is not None and not file.exists():
        return tuple(HostPast(host) for host in arguments.hosts)
    since = SystemClock().now().utc - USUAL_SINCE if arguments.since is None else arguments.since
    with closing(stored.past(told)) as past:
        names = arguments.hosts or past.hosts()
        alone = len(names) == 1
        hosts = tuple(_host(past, host, since, arguments, alone=alone) for host in names)
        _refuse_unknown(past, hosts, arguments)
    return hosts


def _figures(past: StoredPast, host: str, arguments: LookBackArguments, *, alone: bool) -> frozenset[str]:
    """The figures that are read of a host, none for all: the history has a hundred series of it."""
    if not arguments.metrics and not arguments.holder:
        return frozenset() if alone or arguments.points else OF_RAM
    return OF_RAM | {figure for name, figure in past.names(kept_as(host)) if _is_meant(name, figure, arguments)}


def _host(past: StoredPast, host: str, since: float, arguments: LookBackArguments, *, alone: bool) -> HostPast:
    figures = _figures(past, host, arguments, alone=alone)
    series, extents = past.told(kept_as(host), "", since, figures)
    apart = {(one.kind, one.name, one.figure): one for one in extents}
    kills = sum(risen(one) for one in series if one.figure == KILLS)
    every = [*series, *(used_of(one) for one in series if one.figure == AVAILABLE)]
    leaks = _leaks(past, host, series, since, figures) if figures != OF_RAM else {}
    pairs = [(one, _baseline(one, apart, leaks.get((one.kind, one.name, one.figure)))) for one in every if one.points]
    used = next((found for one, found in pairs if one.figure == USED), None)
    chosen = [(one, found) for one, found in pairs if _is_meant(one.name, one.figure, arguments)]
    return HostPast(
        host=host,
        headroom=headroom(used) if used is not None else None,
        kills=kills,
        series=tuple(one if arguments.points else structs.replace(one, points=()) for one, _ in chosen),
        baselines=tuple(found for _, found in chosen),
    )


def _leaks(
    past: StoredPast, host: str, series: Sequence[Series], since: float, figures: frozenset[str]
) -> dict[SeriesKey, Leak]:
    """Who leaks, by as much as a reading is held against, however little is shown."""
    begin = SystemClock().now().utc - KNOWN
    return past_leaks(series if since <= begin else past.told(kept_as(host), "", begin, figures)[0])


def _baseline(series: Series, apart: Mapping[tuple[Kind, str, str], Spread], leak: Leak | None) -> Baseline:
    key = (series.kind, series.name, series.figure)
    extent = apart.get(key)
    if extent is not None:
        usual = baseline(series, extent.least, extent.most, WIDTH)
        return usual if leak is None else structs.replace(usual, leak=structs.asdict(leak))
    left, limit = apart[series.kind, series.name, AVAILABLE], series.points[-1].limit or 0.0
    return baseline(series, limit - left.most, limit - left.least, WIDTH)


def _is_meant(name: str, figure: str, arguments: LookBackArguments) -> bool:
    named = not arguments.holder or name in _kept_names(arguments.holder)
    return named and (not arguments.metrics or any(matches(figure, word) for word in arguments.metrics))


def _kept_names(holder: str) -> tuple[str, str]:
    """What a holder is called in the history: a service also without its ending, a long name as it was cut."""
    return kept_name(holder), kept_name(f"{holder}.service")


def matches(figure: str, word: str) -> bool:
    """True for a figure that a word means: its name, a pattern of it, or its fact."""
    return fnmatchcase(figure, word) or figure.startswith(f"{word}.")


def _refuse_unseen(word: str, hosts: Sequence[HostPast]) -> None:
    """UsageError for a figure that is kept, of which these hosts had nothing yet."""
    kept = ((f"{name}.", one) for name, fact in catalog.facts().items() for one in fact.history)
    for fact, one in kept:
        figures = [f"{fact}{name}" for name in ((one.path,) if isinstance(one, Figure) else one.figures)]
        if any(matches(figure, word) for figure in figures):
            whom = hosts[0].host if len(hosts) == 1 else f"{len(hosts)} hosts"
            said = f"no {NAMED[one.kind]} of {whom} is known" if isinstance(one, Holders) else f"{whom} had none yet"
            hint = f"each reading adds what it sees: runbook diagnose --host {hosts[0].host}"
            raise UsageError(f"nothing is known of {word!r}: {said}", hint=hint)


def _refuse_unknown(past: StoredPast, hosts: Sequence[HostPast], arguments: LookBackArguments) -> None:
    """UsageError where something was asked for that no host has, though something is known of one."""
    if not (arguments.metrics or arguments.holder) or any(host.series for host in hosts):
        return
    known = {one for host in hosts for one in past.names(kept_as(host.host))}
    if not known:
        return
    from difflib import get_close_matches

    figures = sorted({figure for _, figure in known} | {USED})
    for word in arguments.metrics:
        if not any(matches(figure, word) for figure in figures):
            _refuse_unseen(word, hosts)
            close = get_close_matches(word, figures, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise UsageError(f"no figure {word!r} is kept", hint=f"{hint}there are: {', '.join(figures)}")
    names = sorted({name for name, _ in known if name})
    if not arguments.holder or not {*names}.isdisjoint(_kept_names(arguments.holder)):
        return
    close = get_close_matches(arguments.holder, names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else "without it the largest are listed"
    raise UsageError(f"nothing is known of {arguments.holder!r} there", where="--unit", hint=hint)
