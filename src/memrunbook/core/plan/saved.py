"""A saved plan: what its file holds, and in what a host differs from what was approved by now. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Literal, NamedTuple

from msgspec import Struct

from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import Plan, PlannedStep

SHOWN = 8
"""So many characters of a digest tell it from any other that a person will meet."""
SKEW = 60.0
"""So many seconds the clocks of two control nodes may differ."""
FIGURE = re.compile(r"\d[\d.,]*(?: ?(?:[KMGT]i?B|%|ms|s|min|h|d)\b)?")
"""A figure with its unit: what was measured may be another one by now."""
IDENTITY = (
    ("machine_id", "it is another host", "machine-id"),
    ("host_key", "the host has another key", "host key"),
    ("boot_id", "the host was rebooted after the plan was made", "boot-id"),
)


class SavedPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: which engine made it, for whom and with what, and one plan a host.

    `hosts` (as they were named), `plans` and `digests` belong together by their places. `digests` holds, for the
    changes of each plan in their order, what an approval of each is for: they are kept beside the changes, since what
    looks like a secret in a change's words is hidden. `runbook` is its name, or the full path of its file. `hidden`
    names the parameters whose values are not kept; `watch` is in seconds. `checksum` is over all of the rest.
    """

    format: Literal["memrunbook.saved-plan/2"] = "memrunbook.saved-plan/2"
    engine: str
    creator: str
    control_node: str = ""
    runbook: str
    parameters: dict[str, str] = {}
    hidden: tuple[str, ...] = ()
    watch: float | None = None
    hosts: tuple[Host, ...]
    plans: tuple[Plan, ...]
    digests: tuple[tuple[str, ...], ...]
    checksum: str = ""


class Difference(NamedTuple):
    """What is not as it was approved, and both sides in words."""

    what: str
    approved: str
    now: str


def approved_changes(plan: Plan, digests: tuple[str, ...]) -> Iterator[tuple[PlannedStep, str]]:
    """The changes of a plan with the digests that were approved."""
    yield from zip(plan.changes, digests, strict=True)


def other_host(approved: HostIdentity, now: HostIdentity) -> Difference | None:
    """In what a host is not the one that the plan was made for: its machine-id, its key, its boot."""
    for name, what, word in IDENTITY:
        sides = [getattr(identity, name) or "not known" for identity in (approved, now)]
        if sides[0] != sides[1]:
            return Difference(what, *(f"{word} {side}" for side in sides))
    return None


def other_decision(
    plan: Plan, digests: tuple[str, ...], fresh: Plan, words: Callable[[str], str] = str
) -> Difference | None:
    """The first change behind a gate that would be made now and was not approved; what is not needed is none.

    What a person was shown of a change stands in the file beside its digest, and whoever wrote the file may have
    written there what he liked: it must be what is said of the change now, but for figures. `words` is how text was
    made fit for the file.
    """
    if plan.runbook_digest != fresh.runbook_digest:
        return other_runbook(plan, fresh.runbook_digest)
    for step in fresh.steps:
        if step.change is None or not step.gate:
            continue
        if step.digest not in allowed(plan, digests, step.id):
            return not_approved(plan, step)
        pages = [_page(one, str) for one, digest in approved_changes(plan, digests) if _is(one, digest, step)]
        now = _page(step, words)
        if now not in pages:
            return _otherwise(step, pages[0], now)
    return None


def _is(one: PlannedStep, digest: str, step: PlannedStep) -> bool:
    return (one.id, digest) == (step.id, step.digest)


def _page(step: PlannedStep, words: Callable[[str], str]) -> tuple[str, ...]:
    """What the page of a gate says of a change, without the figures, which are measured."""
    change = step.change
    if change is None:
        return ()
    undo = change.undo
    back = () if undo is None else (undo.summary, undo.mode, undo.costs)
    said = (step.name, step.action, change.summary, change.command, change.costs, step.verify, *back)
    asked = "asked at a gate" if step.gate else "asked at no gate"
    return (*(FIGURE.sub("#", words(one)) for one in said), asked, f"in {change.timeout:g} s")


def _otherwise(step: PlannedStep, approved: tuple[str, ...], now: tuple[str, ...]) -> Difference:
    """The first words in which what was shown is not what is said of the change now."""
    one, other = next((pair for pair in zip_longest(approved, now, fillvalue="") if pair[0] != pair[1]), ("", ""))
    return Difference(f"step {step.label} is not what the plan's file says of it", one or "nothing", other or "nothing")


def other_runbook(plan: Plan, now: str) -> Difference:
    """The runbook of that name is another one by now."""
    approved, fresh = (f"runbook {plan.runbook} sha256:{digest[:SHOWN]}" for digest in (plan.runbook_digest, now))
    return Difference("the runbook's file was changed", approved, fresh)


def other_time(plan: Plan, now: Instant) -> Difference | None:
    """Whether a plan has expired, or was made later than now."""
    made, ends, here = (Instant(utc, 0.0).isoformat() for utc in (plan.taken_at.utc, plan.expires_at, now.utc))
    if now.utc > plan.expires_at:
        return Difference("the plan has expired", f"until {ends}", here)
    if now.utc < plan.taken_at.utc - SKEW:
        what = "the plan is from the future: the clock here is wrong, or was where it was made"
        return Difference(what, f"made at {made}", here)
    return None


def allowed(plan: Plan, digests: tuple[str, ...], step: str) -> frozenset[str]:
    """The digests that were approved for a step, one for each of its items."""
    return frozenset(digest for change, digest in approved_changes(plan, digests) if change.id == step)


def not_approved(plan: Plan, step: PlannedStep) -> Difference:
    """A change that was not approved, beside what was planned for its step."""
    of_step = [one for one in plan.steps if one.id == step.id]
    same = [one for one in of_step if one.item == step.item] or of_step
    planned = "; ".join(_words(one) for one in same) or "nothing"
    return Difference(f"step {step.label} is not what was approved", planned, _words(step))


def _words(step: PlannedStep) -> str:
    change = step.change
    if change is None:
        said = "not needed" if step.decision == "not_needed" else "blocked"
        return f"{said}: {step.why}"
    whom = f"{change.identity or change.target}, " if change.identity or change.target not in change.summary else ""
    return f"{change.summary} ({whom}risk {change.risk.word}, sha256:{change.digest[:SHOWN]})"
