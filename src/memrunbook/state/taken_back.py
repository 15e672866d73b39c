"""What of a run was taken back since, read from the journals of the runs of `undo`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.record import Recorded, decode
from memrunbook.core.run.undo_plan import RunToUndo
from memrunbook.state.runs import records, runs


def taken_back_since(state: Path, run_id: str) -> dict[str, dict[str, str]]:
    """By host and step, the undo that took it back and was not undone since, the newest first."""
    title, found = RunToUndo(run=run_id).name, dict[str, dict[str, str]]()
    for run in runs(state):
        if run.invoked is None or run.invoked.runbook != title:
            continue
        undone = taken_back_since(state, run.run_id)
        for host in run.hosts:
            for step in _done(records(state, run.run_id, host)):
                if step not in undone.get(host, {}):
                    found.setdefault(host, {}).setdefault(step, run.run_id)
    return found


def _done(told: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for record in told:
        event = decode(record, {}) if record.get("event") == "recorded" else None
        if isinstance(event, Recorded) and isinstance(event.record, StepFinished) and event.record.state == "done":
            end = event.record
            yield f"{end.id}/{end.item}" if end.item else end.id
