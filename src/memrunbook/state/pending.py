"""Saved plans that wait in a state directory: a gate refused, and nobody has carried them out yet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.state import disk
from memrunbook.state.applied import carried_out
from memrunbook.state.plans import PlanFile, load_plan
from memrunbook.state.runs import Run

MOST = 1000


def pending_plans(state: Path, runs: Iterable[Run], now: Instant) -> list[PlanFile]:
    """Those that could be applied or approved still, the newest first; one that cannot be read is none."""
    found: list[PlanFile] = []
    for path in [path for run in runs for path in disk.listed(run.path, "plan-*.json")][:MOST]:
        try:
            file = load_plan(path)
        except RunbookError:
            continue
        hosts = [host.name for host in file.saved.hosts]
        if file.outdated(now) is None and not any(carried_out(state, file.digest, host) for host in hosts):
            found.append(file)
    return found
