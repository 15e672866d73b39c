"""Until when runs of a runbook have dealt with what happened on each machine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from memrunbook.state.runs import runs


def handled(state: Path, runbook: str) -> dict[tuple[str, str], float]:
    """By host and machine-id, when (seconds since 1970) the newest run of this runbook `resolved` it there."""
    found: dict[tuple[str, str], float] = {}
    for run in runs(state):
        if run.invoked is not None and run.invoked.runbook == runbook and run.ended is not None:
            end = _seconds(run.ended.time)
            for host in run.ended.hosts:
                if host.outcome == "resolved" and host.machine_id:
                    machine = host.host, host.machine_id
                    found[machine] = max(found.get(machine, 0.0), end)
    return found


def _seconds(time: str) -> float:
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0
