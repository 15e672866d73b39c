"""The plan: what would be done on a host, decided on one snapshot."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.action.action import Blocked, Change, Decision, NotNeeded
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.runbook.condition import Evidence

DecisionWord = Literal["change", "not_needed", "blocked"]
Reasons = tuple[tuple[str, tuple[Evidence, ...]], ...]


class PlannedStep(Struct, frozen=True, kw_only=True):
    """The decision on one step (or on one item of it), with the digest that an approval is for.

    `given` are the parameters that `verify` names, with their values. `evidence` is what speaks for a change behind a
    gate, by title: kept for whoever is asked later than the plan was made.
    `provisional` marks what stands behind the first change: it is decided again on what that change left. `rule` marks
    what is blocked by a rule of safety: that is a refusal.
    """

    id: str
    name: str
    action: str
    item: str = ""
    decision: DecisionWord
    why: str = ""
    hint: str = ""
    change: Change | None = None
    verify: str = ""
    within: float = 0.0
    hold: float = 0.0
    given: dict[str, Any] = {}
    provisional: bool = False
    gate: bool = False
    evidence: Reasons = ()
    rule: bool = False

    @property
    def label(self) -> str:
        """The step's id, with the item where it has one: `restart/search-api.service`."""
        return f"{self.id}/{self.item}" if self.item else self.id

    @property
    def digest(self) -> str:
        """The change's digest, empty where nothing would be changed."""
        return self.change.digest if self.change else ""


class Plan(Struct, frozen=True, kw_only=True):
    """All decisions for one host. `expires_at` is in seconds since 1970."""

    runbook: str
    runbook_digest: str
    host: str
    identity: HostIdentity
    taken_at: Instant
    expires_at: float
    steps: tuple[PlannedStep, ...]

    @property
    def changes(self) -> tuple[PlannedStep, ...]:
        """The steps that would run."""
        return tuple(step for step in self.steps if step.decision == "change")


def word(decision: Decision) -> DecisionWord:
    """The decision's word in documents."""
    if isinstance(decision, Change):
        return "change"
    return "not_needed" if isinstance(decision, NotNeeded) else "blocked"


def reason(decision: Decision) -> tuple[str, str]:
    """Why a decision is no change, and how to unblock it."""
    if isinstance(decision, Blocked):
        return decision.why, decision.hint
    return (decision.why, "") if isinstance(decision, NotNeeded) else ("", "")
