"""The course of a run on one of its hosts, and where that is written down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memrunbook import catalog
from memrunbook.core.run.course import Course, course_of
from memrunbook.core.run.report import HostReport
from memrunbook.state import ledger
from memrunbook.state.names import file_name
from memrunbook.state.runs import records


@dataclass(frozen=True)
class Retraced:
    """The course of a run on one host; `file` is its journal."""

    course: Course
    file: Path


def retrace(state: Path, run_id: str, report: HostReport) -> Retraced:
    """What one host's journal says of the time of a run: of the signals, and of what its steps should move."""
    steps = (name for step in report.steps for name in (*step.before, *step.after))
    metrics = {*report.before, *report.after, *steps}
    kinds = {name: fact.reading for name, fact in catalog.facts().items()}
    course = course_of(records(state, run_id, report.host), metrics, kinds)
    return Retraced(course, state / "runs" / run_id / f"{file_name(report.host)}.jsonl")


def ledger_head(state: Path) -> str:
    """The hash of the newest entry of the ledger, which seals the journals; empty where there is none."""
    entries = ledger.read(state)
    return entries[-1].hash if entries else ""
