"""A run of a saved plan: ended before anything is changed where the host is not as it was when it was approved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from memrunbook.core.action.action import Change, Repeat
from memrunbook.core.errors import Refused, RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.saved import Difference, other_decision, other_host, other_time
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Diagnosed, Outdated
from memrunbook.core.run.request import Asking, Execute, Lock, Record, Request, Unlock


def again(runbook: str = "NAME", hosts: str = "HOST", options: str = "") -> str:
    """What to do about a plan that may not be applied any more; all are as they are typed."""
    way = f" {options}" if options else ""
    return f"plan again, and have that approved: runbook plan {runbook} --host {hosts}{way} --out FILE"


def never() -> str:
    """No run has carried it out."""
    return ""


@dataclass(frozen=True)
class ApprovedPlan:
    """What was approved for one host: its plan, and the digest of each change in their order.

    `earlier` names the run that carried it out already, if one did: an approval is for once. `claim` has it for this
    run, or names that one; it is called before the first change. `hint` says what to do where it may not be applied.
    With `differs` the run only goes on with what was approved: in what a host is another one by now is told there, and
    ends nothing. `words` is how text was made fit for the plan's file, `digest` the SHA-256 of that.
    """

    plan: Plan
    digests: tuple[str, ...]
    earlier: Callable[[], str] = never
    hint: str = field(default_factory=again)
    differs: Callable[[Difference], None] | None = None
    words: Callable[[str], str] = str
    claim: Callable[[], str] = never
    digest: str = ""

    def late(self, change: Change, now: Instant) -> Refused | None:
        """Why a change that was approved may not be made any more, where the plan's time is over; None else.

        With `differs` a person may say it anew, at its gate.
        """
        outside = other_time(self.plan, now) if self.differs is None and change.digest in self.digests else None
        if outside is None:
            return None
        return Refused(f"{outside.what}: approved: {outside.approved}; now: {outside.now}", hint=self.hint)


def as_approved(asking: Asking[None], approved: ApprovedPlan) -> Asking[None]:
    """The same run, told Refused as soon as the host, or what would be done on it, is not what was approved.

    The host is compared after each read, so before the lock and after each gate; the decisions once all are made.
    Whether it was carried out before is asked once all is decided, and when the lock is held: nobody begins it here
    then. Before the first change it is claimed: elsewhere nobody begins it from there on.
    """
    asking = _claimed(asking, approved)
    go_on: Callable[[], Request] = partial(next, asking)
    refused = False
    while True:
        try:
            request = go_on()
        except StopIteration:
            return
        try:
            answer = yield request
        except RunbookError as error:
            go_on = partial(asking.throw, error)
            continue
        difference = None if refused else _difference(request, answer, approved)
        if difference is not None and approved.differs is not None:
            approved.differs(difference)
            difference = None
        if difference is None:
            go_on = partial(asking.send, answer)
            continue
        refused = True
        if isinstance(request, Lock):  # the run does not know yet that it has it
            with suppress(RunbookError):
                yield Unlock()
        yield Record(Outdated(*difference))
        go_on = partial(asking.throw, Refused(difference.what, hint=approved.hint))


def _claimed(asking: Asking[None], approved: ApprovedPlan) -> Asking[None]:
    """The same run, told Refused before the first change that another run has begun with its plan by then."""
    go_on: Callable[[], Request] = partial(next, asking)
    claimed = False
    while True:
        try:
            request = go_on()
        except StopIteration:
            return
        if not claimed and _begins(request):
            earlier = approved.claim()
            if earlier:
                yield Record(Outdated(*_for_once(earlier)))
                go_on = partial(asking.throw, Refused(_for_once(earlier).what, hint=approved.hint))
                continue
            claimed = True
        try:
            answer = yield request
        except RunbookError as error:
            go_on = partial(asking.throw, error)
        else:
            go_on = partial(asking.send, answer)


def _difference(request: Request, answer: Any, approved: ApprovedPlan) -> Difference | None:
    if isinstance(answer, Snapshot):
        return other_host(approved.plan.identity, answer.identity)
    if approved.differs is not None:
        return None
    if isinstance(request, Lock) and (outside := other_time(approved.plan, answer.at)) is not None:
        return outside  # it waited for its connection, or for other hosts
    decided = request.event if isinstance(request, Record) and isinstance(request.event, Diagnosed) else None
    if (decided or isinstance(request, Lock)) and (earlier := approved.earlier()):
        return _for_once(earlier)
    return other_decision(approved.plan, approved.digests, decided.plan, approved.words) if decided else None


def _begins(request: Request) -> bool:
    """True for a change that is more than a look, and takes nothing back: from then on it counts as carried out."""
    return isinstance(request, Execute) and not request.undo and request.change.repeat is not Repeat.READ


def _for_once(earlier: str) -> Difference:
    return Difference("the plan was carried out before", "for one run", f"run {earlier} was that one")
