"""Until when runs of each runbook have dealt with what happened on each machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from memrunbook.state.runs import Run, runs


def handled(state: Path, known: Sequence[Run] | None = None) -> dict[str, dict[tuple[str, str], float]]:
    """By runbook, then by host and machine-id, when (seconds since 1970) its newest run `resolved` it there.

    `known` are the runs where they were listed already.
    """
    found: dict[str, dict[tuple[str, str], float]] = {}
    for run in runs(state) if known is None else known:
        if run.invoked is None or run.ended is None:
            continue
        ended, machines = _seconds(run.ended.time), found.setdefault(run.invoked.runbook, {})
        for host in run.ended.hosts:
            if host.outcome == "resolved" and host.machine_id:
                machine = host.host, host.machine_id
                machines[machine] = max(machines.get(machine, 0.0), ended)
    return found


def _seconds(time: str) -> float:
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0
