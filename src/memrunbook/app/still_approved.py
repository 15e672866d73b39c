"""A run of a saved plan that was cut off and goes on: what was approved needs no second approval, all else is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from memrunbook.app.applying import PlanApprover, applied_by, approved_by, void
from memrunbook.app.consenting import consent_of
from memrunbook.app.others import OthersFirst
from memrunbook.app.under_way import Running
from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.saved import Difference, allowed, other_time
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.core.run.record import AppliedPlan
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver
from memrunbook.state.plans import load_plan


@dataclass
class Approvals:
    """What was approved before: who says yes to it, and by host why that does not count any more, where it does not.

    `why` says so for all hosts. `people` is how many others approved it. `applied` is what the journal keeps of it now,
    `content` the bytes of its file; None and nothing where that is not the file that was applied.
    """

    file: str
    plan: PlanApprover | None = None
    people: int = 0
    why: str = ""
    lapsed: dict[str, str] = field(default_factory=dict)
    applied: AppliedPlan | None = None
    content: bytes = b""

    def approved(self) -> dict[str, ApprovedPlan]:
        """By host what was approved; a host that is another one by now, or was rebooted, is noted, and asked about."""

        def noting(host: str) -> Callable[[Difference], None]:
            def note(difference: Difference) -> None:
                self.lapsed.setdefault(host, difference.what)

            return note

        known = self.plan.approved if self.plan else {}
        return {host: replace(one, differs=noting(host)) for host, one in known.items()}


@dataclass(frozen=True)
class StillApproved:
    """Says yes to what a saved plan's approval still covers; for everything else `others` first, then a person.

    Those who approved the plan count for what they approved, judged by what would be done, and for nothing else.
    """

    approvals: Approvals
    others: OthersFirst
    now: Callable[[], Instant]

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Yes to exactly the changes that were approved, while that counts."""
        plan, why = self.approvals.plan, self._lapsed(host, question)
        others = replace(self.others, people=0 if why else self.approvals.people)
        if question.offered or question.again or question.limits:
            return others.approve(host, question)
        if plan is not None and not why:
            return replace(others, approver=plan).approve(host, question)
        words = f"the approval of {self.approvals.file} does not cover it: {why}"
        changed = f"{question.changed}; {words}" if question.changed else words
        answer = others.approve(host, structs.replace(question, changed=changed))
        return answer if answer.answer == "yes" else structs.replace(answer, why=f"{answer.why}; {words}".strip("; "))

    def _lapsed(self, host: str, question: AskApproval) -> str:
        approved = self.approvals.plan.approved.get(host) if self.approvals.plan else None
        if approved is None:
            return self.approvals.why or "it is for other hosts"
        if host in self.approvals.lapsed:
            return self.approvals.lapsed[host]
        late = other_time(approved.plan, self.now())
        if late is not None:
            return late.what
        covered = allowed(approved.plan, approved.digests, question.step.id)
        return "" if question.step.digest in covered else "it is another change than the one that was approved"


@dataclass
class ResumedRun(Running):
    """A run that goes on, with what was approved of it before, if anything was."""

    approvals: Approvals | None = None

    def consenting(self, asked: Approver, clock: SystemClock) -> Approver:
        """Whoever is asked in any run, behind what was approved."""
        if self.approvals is None:
            return super().consenting(asked, clock)
        others = OthersFirst(asked, self.rules(), self.runbook.name, clock.now)
        return StillApproved(self.approvals, others, clock.now)


def approvals_of(applied: AppliedPlan | None, library: Library, state: Path, who: str) -> Approvals | None:
    """What of a saved plan's approval counts now; None for a run that carries out none."""
    if applied is None:
        return None
    now, path = SystemClock().now(), Path(applied.file)
    try:
        file = load_plan(path)
        consent = consent_of(file, library, now)
        refused, difference = void(file, library, consent, now)
    except RunbookError as error:
        return Approvals(applied.file, why=error.message)
    if file.digest != applied.digest:
        return Approvals(applied.file, why="the file is another one by now")
    kept = Approvals(applied.file, applied=applied_by(file, consent), content=file.content)
    if refused is not None:
        return replace(kept, why=difference.what if difference else refused.message)
    plan = PlanApprover(approved_by(file, state), file.digest, who, consent.words)
    return replace(kept, plan=plan, people=len(consent.counted))
