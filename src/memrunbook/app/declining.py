"""A person says no to a plan that waits."""

from __future__ import annotations

from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.core.errors import UsageError
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.plans import load_plan
from memrunbook.state.waiting import Declined, decline

ALGORITHM = "sha256:"


def decline_plan(arguments: PendingArguments, given: str, who: str, why: str = "") -> PendingPlan:
    """A person says no to a plan, by its id, its digest or its file: it waits no more and is not applied.

    The beginning of a digest will do. UsageError for what names none that waits, or several.
    """
    digest = given.removeprefix(ALGORITHM)
    named = [one for one in pending(arguments) if str(one.path) == given]
    plans = named or [one for one in pending(arguments) if digest and one.digest.startswith(digest)]
    if len({one.path for one in plans}) != 1:
        what = "no plan that waits has this id" if not plans else "several plans begin like that"
        raise UsageError(what, where=f"--decline {given}", hint="runbook pending lists them")
    file = load_plan(plans[0].path)
    now = SystemClock().now()
    decline(
        arguments.state,
        Declined(file=str(file.path), digest=file.digest, who=who, time=now.isoformat(), why=redact(why)),
    )
    return plans[0]
