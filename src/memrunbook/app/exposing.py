"""Figures about what was done and what waits, for Prometheus: one small function a family of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.documents.exposition import FigureFamily, exposition, labelled
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.last_seen import seen_incidents, seen_kills
from memrunbook.state.left_open import left_open
from memrunbook.state.pending import pending_plans
from memrunbook.state.runs import Run, runs


@dataclass(frozen=True)
class Exposed:
    """What figures are made of: a state directory, its runs (the newest first), and its store."""

    state: Path
    runs: tuple[Run, ...]
    stored: Stored
    now: Instant


def expose(state: Path, library: Library, store: str = "") -> str:
    """The text that Prometheus reads; JournalError where the state directory cannot be read.

    Where the store does not answer its figures are missing, and memrunbook_store_up is 0.
    """
    found = Exposed(state, tuple(runs(state)), Stored(state, library.config(), store), SystemClock().now())
    families = [family(found) for family in OF_STATE]
    up = 1.0
    try:
        families += [family(found) for family in OF_STORE] if not found.stored.missing else []
    except RunbookError:
        up = 0.0
    families.append(FigureFamily("memrunbook_store_up", "gauge", "Whether the store answers.", {(): up}))
    return exposition(families)


def incidents(found: Exposed) -> FigureFamily:
    """By host and runbook."""
    figures = {
        labelled(host=one.host, runbook=one.runbook): float(one.state == "holds")
        for one in seen_incidents(found.runs)
        if one.state != "unknown"
    }
    return FigureFamily("memrunbook_incident", "gauge", "Whether the incident applied when a run looked last.", figures)


def looked_at(found: Exposed) -> FigureFamily:
    """By host and runbook."""
    figures = {labelled(host=one.host, runbook=one.runbook): one.at for one in seen_incidents(found.runs)}
    name = "memrunbook_incident_seen_timestamp_seconds"
    return FigureFamily(name, "gauge", "When a run looked last, in seconds since 1970.", figures)


def oom_kills(found: Exposed) -> FigureFamily:
    """By host and unit."""
    figures = {
        labelled(host=one.host, unit=unit or "unknown"): float(count)
        for one in seen_kills(found.runs)
        for unit, count in one.units.items()
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
    return FigureFamily("memrunbook_runs_total", "counter", "Runs that ended, counted on each host.", _floats(counts))


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
    """By runbook."""
    plans = [plan for file in pending_plans(found.state, found.runs, found.now) for plan in file.saved.plans]
    counts = Counter(labelled(runbook=plan.runbook) for plan in plans)
    return FigureFamily("memrunbook_pending_approvals", "gauge", "Plans that wait for a person.", _floats(counts))


def exported(found: Exposed) -> FigureFamily:
    """When this was written: a textfile that nobody writes any more stays as it was."""
    name = "memrunbook_exported_timestamp_seconds"
    return FigureFamily(name, "gauge", "When these figures were written, in seconds since 1970.", {(): found.now.utc})


def notifications(found: Exposed) -> FigureFamily:
    """By receiver and state."""
    from memrunbook.state.store.notifications import counts

    with closing(found.stored.open()) as store:
        figures = {labelled(receiver=name, state=state): float(one) for (name, state), one in counts(store).items()}
    return FigureFamily("memrunbook_notifications", "gauge", "Messages to receivers of the last 30 days.", figures)


def switched_off(found: Exposed) -> FigureFamily:
    """Whether nothing may be changed."""
    from memrunbook.state.store.switch import switch_of

    with closing(found.stored.open()) as store:
        off = switch_of(store).holds(found.now.utc)
    return FigureFamily("memrunbook_switched_off", "gauge", "Whether changes are switched off.", {(): float(off)})


def _floats(counts: Counter[tuple[tuple[str, str], ...]]) -> dict[tuple[tuple[str, str], ...], float]:
    return {labels: float(count) for labels, count in counts.items()}


OF_STATE: Iterable[Callable[[Exposed], FigureFamily]] = (
    incidents, looked_at, oom_kills, ended_runs, last_runs, open_steps, pending, exported,
)  # fmt: skip
OF_STORE: Iterable[Callable[[Exposed], FigureFamily]] = (notifications, switched_off)
