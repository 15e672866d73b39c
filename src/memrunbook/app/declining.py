"""A person says no to a plan that waits."""

from __future__ import annotations

from dataclasses import replace

from memrunbook.app.pending_plans import PendingArguments, PendingPlan, waiting_plan
from memrunbook.app.sharing_plans import shared_if_it_answers, unheard
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.waiting import Declined, decline

UNSHARED = "other control nodes do not know yet that it was declined"


def decline_plan(arguments: PendingArguments, given: str, who: str, why: str = "") -> PendingPlan:
    """A person says no to a plan, by its id, its digest or its file: it waits no more and is not applied.

    The beginning of a digest will do. UsageError for what names none that waits, or several.
    """
    plan = waiting_plan(replace(arguments, told=unheard), given, f"--decline {given}")
    now = SystemClock().now()
    decline(
        arguments.state,
        Declined(file=str(plan.path), digest=plan.digest, who=who, time=now.isoformat(), why=redact(why)),
    )
    shared_if_it_answers(arguments.stored(), arguments.told, UNSHARED)
    return plan
