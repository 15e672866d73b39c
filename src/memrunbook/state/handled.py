"""Until when runs of a runbook have dealt with what happened on each machine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from memrunbook.state.runs import runs


def handled(state: Path, runbook: str) -> dict[tuple[str, str], float]:
    """By host and machine-id, when (seconds since 1970) the newest run of this runbook `resolved` it there."""
    found: dict[tuple[str, str], float] = {}
    for run in runs(state):
        if run.first.get("runbook") == runbook and run.last.get("event") == "ended":
            end = _seconds(run.last.get("time"))
            for machine in _resolved(run.last.get("hosts")):
                found[machine] = max(found.get(machine, 0.0), end)
    return found


def _resolved(hosts: Any) -> list[tuple[str, str]]:
    entries = [entry for entry in hosts if isinstance(entry, dict)] if isinstance(hosts, list) else []
    return [
        (str(entry.get("host")), str(entry["machine_id"]))
        for entry in entries
        if entry.get("outcome") == "resolved" and entry.get("machine_id")
    ]


def _seconds(time: Any) -> float:
    try:
        return dt.datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return 0.0
