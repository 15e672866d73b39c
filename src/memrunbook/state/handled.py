"""Until when runs of a runbook have dealt with what happened on each machine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from memrunbook.state.runs import records, runs


def handled(state: Path, runbook: str) -> dict[str, float]:
    """By machine-id, the end (seconds since 1970) of the newest run of this runbook that ended `resolved` there."""
    found: dict[str, float] = {}
    for run in runs(state):
        for host in run.hosts:
            for record in records(state, run.run_id, host):
                machine, end = _resolved(record, runbook)
                found[machine] = max(found.get(machine, 0.0), end) if machine else 0.0
    found.pop("", None)
    return found


def _resolved(record: dict[str, Any], runbook: str) -> tuple[str, float]:
    event = record.get("record", {}) if record.get("runbook") == runbook else {}
    if not isinstance(event, dict) or event.get("type") != "run-finished" or event.get("outcome") != "resolved":
        return "", 0.0
    ended = dt.datetime.fromisoformat(record["time"])
    return str(record.get("identity", {}).get("machine_id", "")), ended.timestamp()
