"""Who answers at gates where nobody sits at the keyboard and only so much was allowed beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.core.action.action import Risk
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver


@dataclass(frozen=True)
class NoFurther:
    """An approver that answers no above a risk, whatever else allows it; without one (None) to every change.

    `where` is the line that says so.
    """

    approver: Approver
    most: Risk | None
    where: str

    def approve(self, host: str, question: AskApproval) -> Approval:
        """No to what is beyond it; else what the approver says."""
        change = question.step.change
        if change is None or question.offered or question.limits:
            return self.approver.approve(host, question)
        if self.most is None or change.risk > self.most:
            goes = "only plans" if self.most is None else f"goes up to risk {self.most.word}"
            why = f"{self.where} {goes}: this, of risk {change.risk.word}, waits for a person"
            return Approval(SystemClock().now(), "no", question.step.digest, how="config.yaml", why=why)
        return self.approver.approve(host, question)
