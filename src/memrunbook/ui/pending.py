"""Plans that wait for a person, each with the commands that approve, apply and decline it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memrunbook.core.instant import Instant
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Span, line, to_type
from memrunbook.ui.words import plural


class WaitingView(NamedTuple):
    """One plan; `approve` is empty where nobody else need approve it, `again` is what to type where it is `void`."""

    id: str
    host: str
    runbook: str
    creator: str
    at: float
    until: float
    steps: tuple[str, ...]
    why: tuple[str, ...]
    people: str
    approve: str
    apply: str
    decline: str
    void: str
    again: str


def pending_view(plans: Sequence[WaitingView], now: Instant) -> list[Block]:
    """All of them, the newest first."""
    if not plans:
        return [line("No plan waits for anybody.")]
    blocks: list[Block] = [
        line(Span(plural(len(plans), "plan"), "strong"), f" {'waits' if len(plans) == 1 else 'wait'} for a person")
    ]
    for plan in plans:
        blocks += [BLANK, *_plan(plan, now)]
    return blocks


def _plan(plan: WaitingView, now: Instant) -> list[Block]:
    age = format_duration(max(0.0, now.utc - plan.at))
    left = f"for {format_duration(plan.until - now.utc)} more" if plan.until > now.utc else "expired"
    blocks: list[Block] = [
        line(
            Span(plan.id, "strong", whole=True),
            "  ",
            Span(plan.host, "strong", whole=True),
            f"  {plan.runbook}, by {plan.creator}, {age} ago, {left}",
        )
    ]
    blocks += [line("why: ", one, indent=2) for one in plan.why]
    blocks += [line("would: ", Span(one, whole=True), indent=2) for one in plan.steps]
    if plan.void:
        return [
            *blocks,
            line(Span("void: ", "warning"), plan.void, indent=2),
            line("plan anew:  ", to_type(plan.again), indent=2),
            line("decline it:  ", to_type(plan.decline), indent=2),
        ]
    if plan.approve:
        blocks += [line(f"{plan.people}:  ", to_type(plan.approve), indent=2)]
    return [
        *blocks,
        line("apply it:  ", to_type(plan.apply), indent=2),
        line("decline it:  ", to_type(plan.decline), indent=2),
    ]
