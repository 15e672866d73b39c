"""`runbook undo --dry-run --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.plan import Plan, PlannedStep
from memrunbook.documents.printed import Document


class UndoneStep(Struct, frozen=True, kw_only=True):
    """What becomes of one change of the run: `undoes` says what it had done, `summary` what is done now.

    `decision` is change (it is taken back), not_needed or blocked (it is left alone), `why` says the reason.
    """

    id: str
    item: str
    action: str
    decision: Literal["change", "not_needed", "blocked"]
    why: str
    hint: str
    undoes: str
    summary: str
    target: str
    risk: str
    provisional: bool
    digest: str


class UndoneHost(Struct, frozen=True, kw_only=True):
    """One host; `not-planned` with the reason where it could not be looked at."""

    host: str
    outcome: Literal["planned", "not-planned"]
    why: str
    steps: tuple[UndoneStep, ...]


class UndoDocument(Document, frozen=True, kw_only=True):
    """runbook undo --dry-run --json."""

    format: Literal["memrunbook.undo/1"] = "memrunbook.undo/1"
    run: str
    hosts: tuple[UndoneHost, ...]


def undo_document(run: str, hosts: Iterable[tuple[str, Plan | None, str]]) -> UndoDocument:
    """What would be taken back of a run: for each host its name, the plan, and why there is none."""
    return UndoDocument(run=run, hosts=tuple(_host(name, plan, why) for name, plan, why in hosts))


def _host(name: str, plan: Plan | None, why: str) -> UndoneHost:
    if plan is None:
        return UndoneHost(host=name, outcome="not-planned", why=why, steps=())
    return UndoneHost(host=name, outcome="planned", why="", steps=tuple(map(_step, plan.steps)))


def _step(step: PlannedStep) -> UndoneStep:
    change = step.change
    return UndoneStep(
        id=step.id,
        item=step.item,
        action=step.action,
        decision=step.decision,
        why=step.why,
        hint=step.hint,
        undoes=step.name,
        summary=change.summary if change else "",
        target=change.target if change else "",
        risk=change.risk.word if change else "",
        provisional=step.provisional,
        digest=step.digest,
    )
