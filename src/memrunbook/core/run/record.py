"""One frozen type for each thing that a run remembers."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.plan import Plan

StepState = Literal[
    "done", "not_needed", "blocked", "refused", "skipped", "failed", "undone", "unknown", "interrupted"
]  # fmt: skip
Outcome = Literal[
    "healthy", "resolved", "improved", "unresolved", "failed", "refused", "unreachable", "unknown", "interrupted"
]  # fmt: skip
Signals = dict[str, Any]


class Diagnosed(Struct, frozen=True, tag="diagnosed"):
    """The diagnosis and the plan that the run began with, and the signals before it."""

    diagnosis: RunbookDiagnosis
    plan: Plan
    signals: Signals


class StepFinished(Struct, frozen=True, tag="step-finished", kw_only=True):
    """How one step (or one item of it) ended. `open` marks a once-only effect whose outcome is unknown.

    `before` and `after` hold the runbook's signals and what the step should move; `after` is empty where nothing was
    read after it. `effect` says so where it moved none of that.
    """

    id: str
    name: str
    action: str
    item: str = ""
    state: StepState
    why: str = ""
    summary: str = ""
    seconds: float = 0.0
    before: Signals = {}
    after: Signals = {}
    evidence: str = ""
    hint: str = ""
    open: bool = False
    effect: str = ""


class RunFinished(Struct, frozen=True, tag="run-finished"):
    """How the run ended on this host, and the signals after it."""

    outcome: Outcome
    why: str = ""
    signals: Signals = {}
    hint: str = ""


Event = Diagnosed | StepFinished | RunFinished
