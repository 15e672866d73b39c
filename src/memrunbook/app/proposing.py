"""Proposes: a plan is made and waits for a person, who looks at it, approves it and carries it out. Or does not."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace

from msgspec import structs

from memrunbook.app.actor import this_actor
from memrunbook.app.notice import SILENT, Notice
from memrunbook.app.pending_plans import PendingArguments, PendingPlan, pending
from memrunbook.app.planning import PlanArguments, PlanResult, plan
from memrunbook.app.reading import REPLAY
from memrunbook.app.saving import author, save
from memrunbook.core.errors import Refused, UsageError
from memrunbook.core.plan.approval import ASSISTANT
from memrunbook.core.plan.judged import Planned
from memrunbook.core.run.record import Actor
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.waiting import forget, plan_path

MOST_WAITING = 20
"""Proposals that may wait at once: a person reads each of them."""
KEPT = 30 * 86_400.0
"""Seconds after which the file of a proposal that nobody approved is removed."""


@dataclass(frozen=True)
class ProposeResult:
    """What was planned, and the plans that wait now: one for each host on which there is something to change."""

    planned: PlanResult[Planned]
    waiting: tuple[PendingPlan, ...]


def propose(arguments: PlanArguments, notice: Notice = SILENT, *, stop: threading.Event | None = None) -> ProposeResult:
    """Plans as an assistant, and keeps what would be changed for a person; nothing is changed.

    Each proposal is a file of its own: none takes the place of one that somebody may be reading. Refused where too many
    wait already, UsageError for a recording, which nothing can be done to; else as `plan`.
    """
    if recorded := [host.name for host in arguments.hosts if host.transport == REPLAY]:
        hint = "the tool plan says what a runbook would do there"
        raise UsageError("a recording is no host: nothing can be proposed for it", where=recorded[0], hint=hint)
    state, looking = (
        arguments.state,
        PendingArguments(state=arguments.state, library=arguments.library, store=arguments.store),
    )
    waiting = [one for one in pending(looking) if one.path.name.startswith(ASSISTANT)]
    if len(waiting) >= MOST_WAITING:
        hint = "a person applies or declines them first: runbook pending"
        raise Refused(f"{len(waiting)} proposals wait already", hint=hint)
    asked = replace(arguments, actor=assistant(), waits=True)
    found = plan(asked, notice, stop=stop)
    forget(state, ASSISTANT, SystemClock().now().utc - KEPT)
    paths = []
    for one in found.hosts:
        if one.plan is not None and one.plan.changes:
            path = plan_path(state, f"{ASSISTANT}{one.plan.runbook}-{secrets.token_hex(4)}", one.plan.host)
            save(path, asked, [one.plan])
            paths.append(path)
    return ProposeResult(found, tuple(one for one in pending(looking) if one.path in paths))


def assistant() -> Actor:
    """Who proposes: an assistant, for the person behind this process."""
    actor = this_actor()
    return structs.replace(
        actor, user=f"{ASSISTANT}{author(actor)}", sudo_user="", login_user="", ssh_client="", tty=""
    )
