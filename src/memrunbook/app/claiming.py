"""An approval is for once, over all control nodes that share a store: who begins to carry a plan out claims it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import SystemClock

if TYPE_CHECKING:
    from memrunbook.app.run_arguments import RunArguments
    from memrunbook.core.run.applied import ApprovedPlan
    from memrunbook.state.store.changes import Store
    from memrunbook.state.store.plans import PlanClaim


def once_over_all(asked: RunArguments, host: str, store: Store, run: str) -> ApprovedPlan | None:
    """What was approved for a host, for once: a run of another node that began with it counts as one of here does.

    None where nothing was approved.
    """
    from memrunbook.state.store import plans

    approved = asked.approved.get(host)
    if approved is None:
        return None
    here, until = approved.earlier, approved.plan.expires_at
    actor = f"{asked.actor.user}@{asked.actor.control_node}"

    def earlier() -> str:
        return here() or _words(plans.claimed(store, approved.digest, host))

    def claim() -> str:
        now = SystemClock().now().utc
        mine = plans.PlanClaim(digest=approved.digest, host=host, run=run, actor=actor, at=now, until=until)
        return _words(plans.claim(store, mine))

    return replace(approved, earlier=earlier, claim=claim)


def _words(claim: PlanClaim | None) -> str:
    """Which run that is, whose and since when; empty where nobody claimed it."""
    if claim is None:
        return ""
    return f"{claim.run} by {claim.actor} (since {Instant(claim.at, 0.0).isoformat()[:16].replace('T', ' ')} UTC)"
