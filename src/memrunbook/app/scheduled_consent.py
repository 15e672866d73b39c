"""Who answers at the gates of a scheduled run: nobody sits there, and it exceeds nothing that was set beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memrunbook.core.action.action import Change, Risk
from memrunbook.core.instant import Instant
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.ui.approve import AT_A_TERMINAL


@dataclass(frozen=True)
class ScheduledConsent:
    """Yes up to `max_risk`, and to each ACTION:TARGET that the schedule allows; no to all else (port `Approver`).

    Nothing of unknown outcome is repeated, nothing is done beyond a limit, and nothing that costs more is taken back.
    """

    schedule: str
    max_risk: Risk
    allow: Consents
    now: Callable[[], Instant]

    def approve(self, host: str, question: AskApproval) -> Approval:  # noqa: ARG002  the port's signature
        """The answer, and where it is no, what a person would have to say."""
        how, why = self._answer(question)
        return Approval(self.now(), "no" if why else "yes", question.step.digest, self._who, how, why)

    @property
    def _who(self) -> str:
        return f"schedule:{self.schedule}"

    def _answer(self, question: AskApproval) -> tuple[str, str]:
        change, never = question.step.change, _never(question)
        if change is None or never:
            return "none", never or "there is nothing to allow"
        if by := permitted(change, self.max_risk, self.allow):
            return by, ""
        goes = "changes nothing" if self.max_risk is Risk.NONE else f"goes up to risk {self.max_risk.word}"
        return "none", f"schedule {self.schedule} {goes}, and this is {change.risk.word}: a person approves the plan"


def permitted(change: Change, max_risk: Risk, allow: Consents) -> str:
    """What of a schedule lets it make a change, in the words of its file; empty where nothing does."""
    named = f"{change.action}:{change.target}"
    if allow.use(named):
        return f"allow: {named}"
    return f"max_risk: {max_risk.word}" if change.risk <= max_risk and change.risk < Risk.HIGH else ""


def _never(question: AskApproval) -> str:
    """Why no schedule may allow this, whatever it says; empty where one may."""
    if question.offered:
        return "taking it back may cost more than it did: a person decides that"
    if question.again:
        return "how it ended before is not known, and a schedule repeats nothing then"
    return f"{question.limits[0]}; {AT_A_TERMINAL}" if question.limits else ""
