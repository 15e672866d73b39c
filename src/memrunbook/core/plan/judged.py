"""What is said of one host: judged by all runbooks, or planned for one of them; nothing where it was not reached."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.core.plan.diagnosis import Diagnosis, RunbookDiagnosis
from memrunbook.core.plan.plan import Plan
from memrunbook.core.reading.reached import Reached


@dataclass(frozen=True)
class Judged:
    """A host and its diagnosis by all runbooks."""

    reached: Reached
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class Planned:
    """A host with its diagnosis by one runbook, and that runbook's plan."""

    reached: Reached
    diagnosis: RunbookDiagnosis | None = None
    plan: Plan | None = None
