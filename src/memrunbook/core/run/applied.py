"""A run of a saved plan: ended before anything is changed where the host is not as it was when it was approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from memrunbook.core.errors import Refused, RunbookError
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.saved import Difference, other_decision, other_host
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Diagnosed, Outdated
from memrunbook.core.run.request import Asking, Record, Request

AGAIN = "plan again, and have that approved: runbook plan NAME --host HOST --out FILE"


@dataclass(frozen=True)
class ApprovedPlan:
    """What was approved for one host: its plan, and the digest of each change in their order.

    `earlier` is the run that carried it out already, if one did: an approval is for once.
    """

    plan: Plan
    digests: tuple[str, ...]
    earlier: str = ""


def as_approved(asking: Asking[None], approved: ApprovedPlan) -> Asking[None]:
    """The same run, told Refused as soon as the host, or what would be done on it, is not what was approved.

    The host is compared after each read, so before the lock and before each gate; the decisions once all are made.
    """
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
        if difference is None:
            go_on = partial(asking.send, answer)
            continue
        refused = True
        yield Record(Outdated(*difference))
        go_on = partial(asking.throw, Refused(difference.what, hint=AGAIN))


def _difference(request: Request, answer: Any, approved: ApprovedPlan) -> Difference | None:
    if isinstance(answer, Snapshot):
        if approved.earlier:
            return Difference("the plan was carried out before", "for one run", f"run {approved.earlier} was that one")
        return other_host(approved.plan.identity, answer.identity)
    if isinstance(request, Record) and isinstance(request.event, Diagnosed):
        return other_decision(approved.plan, approved.digests, request.event.plan)
    return None
