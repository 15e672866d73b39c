"""Changes that other people must approve before: no gate, no option and no terminal says yes to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from memrunbook.app.ruling import Freezes, frozen_now
from memrunbook.core.instant import Instant
from memrunbook.core.plan.approval import ApprovalRule, people_needed
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.ports import Approver


@dataclass(frozen=True)
class ThroughFreezes:
    """An approver whose yes in a freeze says by which consent it goes through that: it is kept in the journal."""

    approver: Approver
    freezes: Freezes
    now: Callable[[], Instant]

    def approve(self, host: str, question: AskApproval) -> Approval:
        """What the approver says."""
        answer = self.approver.approve(host, question)
        held = frozen_now(self.freezes.windows, host, self.now().utc)
        if answer.answer != "yes" or question.offered or not held:
            return answer
        words = [f"in the freeze {window.name}, by --allow {window.allowed_by}" for window, _ in held]
        return structs.replace(answer, why="; ".join([*([answer.why] if answer.why else []), *words]))


@dataclass(frozen=True)
class OthersFirst:
    """An approver that answers no where config.yaml asks for more people's approval than gave one.

    `approver` is asked else. What would be done counts, not what a saved plan says of it.
    """

    approver: Approver
    rules: Sequence[ApprovalRule]
    runbook: str
    now: Callable[[], Instant]
    people: int = 0

    def approve(self, host: str, question: AskApproval) -> Approval:
        """No to what others must approve; else what the approver says."""
        change = question.step.change
        if question.offered:  # what takes a change back waits for nobody else
            return self.approver.approve(host, question)
        people = people_needed(self.rules, self.runbook, host, change.risk) if change else 0
        if people <= self.people:
            return self.approver.approve(host, question)
        why = f"config.yaml asks for the approval of {people} {'person' if people == 1 else 'people'} other than you"
        return Approval(self.now(), "no", question.step.digest, how="config.yaml", why=why)
