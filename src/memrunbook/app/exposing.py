"""Figures about what was done and what waits, for Prometheus: one small function a family of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from memrunbook.app.pending_plans import PendingArguments
from memrunbook.app.pending_plans import pending as pending_plans
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.run.queued import QueueState
from memrunbook.documents.exposition import FigureFamily, exposition, labelled
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.last_seen import SeenHost, SeenIncident, seen
from memrunbook.state.left_open import left_open
from memrunbook.state.runs import Run, runs

if TYPE_CHECKING:
    from memrunbook.state.store.firing_figures import ScheduleFigures


@dataclass(frozen=True)
class Exposed:
    """What figures are made of: a state directory, its runs (the newest first), and its store."""

    state: Path
    library: Library
    runs: tuple[Run, ...]
    stored: Stored
    now: Instant

    @cached_property
    def _seen(self) -> tuple[list[SeenIncident], list[SeenHost]]:
        return seen(self.runs)

    @property
    def incidents(self) -> list[SeenIncident]:
        """What each runbook said of each host last."""
        return self._seen[0]

    @property
    def hosts(self) -> list[SeenHost]:
        """What was read last of each host."""
        return self._seen[1]


def expose(state: Path, library: Library, store: str = "") -> str:
    """The text that Prometheus reads; JournalError where the state directory cannot be read.

    Where the store does not answer its figures are missing, and memrunbook_store_up is 0; that one is missing, too,
    where there is no store yet.
    """
    found = Exposed(state, library, tuple(runs(state)), Stored(state, library.config(), store), SystemClock().now())
    families = [family(found) for family in OF_STATE]
    up = 1.0
    try:
        families += [family(found) for family in (OF_STORE if not found.stored.missing else (switched_off,))]
    except RunbookError:
        up = 0.0
    answers: dict[tuple[tuple[str, str], ...], float] = {} if found.stored.missing else {(): up}
    families.append(FigureFamily("memrunbook_store_up", "gauge", "Whether the store answers.", answers))
    return exposition(families)


def incidents(found: Exposed) -> FigureFamily:
    """By host and runbook."""
    figures = {
        labelled(host=one.host, runbook=one.runbook): float(one.state == "holds")
        for one in found.incidents
        if one.state != "unknown"
    }
    return FigureFamily("memrunbook_incident", "gauge", "Whether the incident applied when a run looked last.", figures)


def looked_at(found: Exposed) -> FigureFamily:
    """By host and runbook."""
    figures = {labelled(host=one.host, runbook=one.runbook): one.at for one in found.incidents}
    name = "memrunbook_incident_seen_timestamp_seconds"
    return FigureFamily(name, "gauge", "When a run looked last, in seconds since 1970.", figures)


def oom_kills(found: Exposed) -> FigureFamily:
    """By host and unit."""
    figures = {
        labelled(host=one.host, unit=unit or "unknown"): float(count)
        for one in found.hosts
        for unit, count in (one.kills or {}).items()
    }
    return FigureFamily(
        "memrunbook_oom_kills", "gauge", "OOM kills in the kernel's log when a run read it last.", figures
    )


def ended_runs(found: Exposed) -> FigureFamily:
    """By runbook and outcome."""
    counts = Counter(
        labelled(runbook=run.invoked.runbook, outcome=host.outcome)
        for run in found.runs
        if run.invoked is not None and run.ended is not None
        for host in run.ended.hosts
    )
    said = "Runs that are kept and have ended, counted on each host."
    return FigureFamily("memrunbook_runs", "gauge", said, _floats(counts))


def last_runs(found: Exposed) -> FigureFamily:
    """By runbook."""
    figures: dict[tuple[tuple[str, str], ...], float] = {}
    for run in found.runs:
        if run.invoked is not None:
            with suppress(ValueError):  # a journal that was changed is no reason to say nothing of the others
                at = dt.datetime.fromisoformat(run.invoked.time).timestamp()
                figures.setdefault(labelled(runbook=run.invoked.runbook), at)
    name = "memrunbook_last_run_timestamp_seconds"
    return FigureFamily(name, "gauge", "When the newest run began, in seconds since 1970.", figures)


def open_steps(found: Exposed) -> FigureFamily:
    """By host."""
    counts = Counter(labelled(host=one.host) for one in left_open(found.state, found.runs))
    return FigureFamily("memrunbook_open_steps", "gauge", "Steps that were begun and have no end.", _floats(counts))


def pending(found: Exposed) -> FigureFamily:
    """By runbook: what `runbook pending` lists, a plan of a schedule or of a run."""
    plans = pending_plans(PendingArguments(state=found.state, library=found.library, store=found.stored.named))
    counts = Counter(labelled(runbook=plan.runbook) for plan in plans)
    return FigureFamily("memrunbook_pending_approvals", "gauge", "Plans that wait for a person.", _floats(counts))


def forecasts(found: Exposed) -> FigureFamily:
    """By host, kind and name of who leaks; counted down from the reading that told it."""
    figures = {
        labelled(host=one.host, kind=leak.kind, name=leak.name): max(
            0.0, leak.seconds_left - max(0.0, found.now.utc - one.leaks_at)
        )
        for one in found.hosts
        for leak in one.leaks or ()
        if leak.seconds_left is not None
    }
    said = "Until what leaks reaches its limit, or that of the host, if nothing changes."
    return FigureFamily("memrunbook_forecast_seconds", "gauge", said, figures, least_first=True)


def hosts_off(found: Exposed) -> FigureFamily:
    """By host: its own file /etc/memrunbook/off or /run/memrunbook/off, which binds whoever comes."""
    figures = {labelled(host=one.host): float(one.switched_off) for one in found.hosts if one.switched_off is not None}
    said = "Whether a file on the host itself forbade changes there when it was read last."
    return FigureFamily("memrunbook_host_switched_off", "gauge", said, figures)


def exported(found: Exposed) -> FigureFamily:
    """When this was written: a textfile that nobody writes any more stays as it was."""
    name = "memrunbook_exported_timestamp_seconds"
    return FigureFamily(name, "gauge", "When these figures were written, in seconds since 1970.", {(): found.now.utc})


def notifications(found: Exposed) -> FigureFamily:
    """By receiver and state; none is 0 from the beginning: what comes out of nothing rises for no alert."""
    from memrunbook.state.store.notifications import counts

    receivers = found.library.config().notify
    figures = {labelled(receiver=one.name, state=state): 0.0 for one in receivers for state in get_args(QueueState)}
    with closing(found.stored.open()) as store:
        figures |= {labelled(receiver=name, state=state): float(one) for (name, state), one in counts(store).items()}
    return FigureFamily("memrunbook_notifications", "gauge", "Messages to receivers of the last 30 days.", figures)


def switched_off(found: Exposed) -> FigureFamily:
    """Whether nothing may be changed, by the store that runs ask; where there is none nobody switched anything off."""
    from memrunbook.state.store.switch import switch_of

    off = False
    if not found.stored.missing:
        with closing(found.stored.open()) as store:
            off = switch_of(store).holds(found.now.utc)
    return FigureFamily("memrunbook_switched_off", "gauge", "Whether changes are switched off.", {(): float(off)})


def fired(found: Exposed) -> FigureFamily:
    """By schedule: when it was carried out last. Its age says that nothing is done any more."""
    return _of_schedules(found, "last_firing_timestamp_seconds", "When the newest firing began, in seconds since 1970.",
                         lambda one: one.begun)  # fmt: skip


def failed_firings(found: Exposed) -> FigureFamily:
    """By schedule."""
    return _of_schedules(found, "schedule_failures", "Firings that failed in a row.", lambda one: float(one.failures))


def paused(found: Exposed) -> FigureFamily:
    """By schedule."""
    return _of_schedules(found, "schedule_paused", "Whether it is paused.", lambda one: float(one.paused))


def schedulers(found: Exposed) -> FigureFamily:
    """By the machine that it runs on."""
    from memrunbook.state.store import firings

    with closing(found.stored.open()) as store:
        figures = {labelled(node=one.owner): one.at for one in firings.schedulers(store) if not one.stopped}
    name, said = "memrunbook_scheduler_seen_timestamp_seconds", "When a scheduler was heard of, in seconds since 1970."
    return FigureFamily(name, "gauge", said, figures)


def _of_schedules(
    found: Exposed, name: str, said: str, value: Callable[[ScheduleFigures], float | None]
) -> FigureFamily:
    from memrunbook.state.store.firing_figures import figures_of_schedules

    with closing(found.stored.open()) as store:
        known = [(one.name, value(one)) for one in figures_of_schedules(store)]
    figures = {labelled(schedule=name): one for name, one in known if one is not None}
    return FigureFamily(f"memrunbook_{name}", "gauge", said, figures)


def _floats(counts: Counter[tuple[tuple[str, str], ...]]) -> dict[tuple[tuple[str, str], ...], float]:
    return {labels: float(count) for labels, count in counts.items()}


OF_STATE: Iterable[Callable[[Exposed], FigureFamily]] = (
    incidents, looked_at, oom_kills, forecasts, hosts_off, ended_runs, last_runs, open_steps, pending, exported,
)  # fmt: skip
OF_STORE: Iterable[Callable[[Exposed], FigureFamily]] = (
    notifications, switched_off, fired, failed_firings, paused, schedulers,
)  # fmt: skip
