"""Decides what of a run's changes is to be taken back, on what a look at each of them found. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from memrunbook.core.action.action import Change
from memrunbook.core.plan.forbidden import forbidden
from memrunbook.core.plan.plan import DecisionWord, PlannedStep
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.made import Made
from memrunbook.core.run.request import Compared
from memrunbook.core.units import format_duration

UNDO_OF = "undo of "
NOT_OURS = "not ours any more"
TAKEN_BACK = "the run itself took it back"
UNSEEN = "it cannot be looked at: its undo itself sees whether it is still ours"
CANNOT = "it cannot be taken back"
PROOF = "the host shows that it is as it was before"
AGAIN = "the host shows that it is as the run had made it"
_LEFT = re.compile(r"(?P<what>\S.*?) is (?P<now>.+?), not (?P<ours>\S+) as we left it: somebody else has changed it")
InForce = Literal["made", "back", "changed", "gone", "unseen"]


class RunToUndo(Struct, frozen=True, kw_only=True):
    """What a run had made on one host, and what is known of it since.

    `hidden` stands where the journal keeps no secret. `taken_back_by` names the run that took a step back since.
    `changed_later` names the step that changed the same after a step, and is not to be taken back now.
    `unproven` says why what the journal holds may be another's; empty where it is vouched for.
    """

    run: str
    runbook: str = ""
    made: tuple[Made, ...] = ()
    machine_id: str = ""
    boot_id: str = ""
    hidden: str = "[redacted]"
    taken_back_by: Mapping[str, str] = {}
    changed_later: Mapping[str, str] = {}
    unproven: str = ""

    @property
    def name(self) -> str:
        """What an undo of it is called where a runbook's name stands."""
        return f"{UNDO_OF}{self.run}"

    @property
    def digest(self) -> str:
        """An undo has no file."""
        return ""

    def known(self, one: Made) -> str:
        """Why a change is not taken back whatever a look would find; empty where a look decides."""
        return _cannot(self, one) or (TAKEN_BACK if one.taken_back else "")

    def conflicts(self, finished: Collection[StepFinished]) -> bool:
        """True where something is left alone although it could have been taken back."""
        cannot = {one.step for one in self.made if _cannot(self, one)}
        return any(end.state == "blocked" and _label(end) not in cannot for end in finished)


def decide(
    past: RunToUndo, one: Made, looked: Compared | None, snapshot: Snapshot, before: Sequence[PlannedStep]
) -> PlannedStep:
    """The decision on one change; `before` are the steps that would be carried out before it."""
    seen = planned(one, looked)
    cannot, why = _cannot(past, one), _words(one, looked)
    rebooted = past.boot_id and snapshot.identity.boot_id not in ("", past.boot_id) and not one.lasting
    if cannot:
        return _described(one, "blocked", why=cannot, hint=_by_hand(one))
    by_another = seen == "changed" and one.step in past.taken_back_by
    if one.taken_back or rebooted or by_another or seen in ("back", "gone"):
        return _described(one, "not_needed", why=_not_needed(past, one, snapshot, seen, why, rebooted=bool(rebooted)))
    if seen == "changed" and one.step in past.changed_later:
        later = past.changed_later[one.step]
        return _described(
            one,
            "blocked",
            why=f"step {later} of the same run has changed it since",
            hint=f"undo that first (--step {later}), or the whole run",
        )
    if seen == "changed" and not any(touches_the_same(one, step) for step in before):
        return _described(one, "blocked", why=why, hint=_by_hand(one))
    refused = forbidden(one.way_back, snapshot.rules, snapshot) if one.way_back is not None else None
    if refused is not None:
        return structs.replace(_described(one, "blocked", why=refused.why, hint=refused.hint), rule=refused.rule)
    doubts = "; ".join(part for part in (UNSEEN if seen == "unseen" else "", past.unproven) if part)
    return _described(one, "change", why=doubts, provisional=seen == "changed")


def _not_needed(  # noqa: PLR0913  what is known
    past: RunToUndo, one: Made, snapshot: Snapshot, seen: InForce, why: str, *, rebooted: bool
) -> str:
    if one.taken_back:
        return TAKEN_BACK
    if rebooted:
        return _rebooted(seen)
    if seen == "changed":
        return f"run {past.taken_back_by[one.step]} took it back; {why}"
    if seen == "gone":
        return f"{why or 'what was changed is gone'}: there is nothing to take back"
    return _back(past, one, snapshot)


def planned(one: Made, looked: Compared | None) -> InForce:
    """What a look says of the change that is to be taken back: one that took another back is there when that is not."""
    if looked is None or looked.state == "unknown":
        return "unseen"
    if one.of is None or looked.state in ("changed", "gone"):
        return looked.state
    return "back" if looked.state == "made" else "made"


def _cannot(past: RunToUndo, one: Made) -> str:
    """Why nothing can take it back; empty where something can."""
    if one.way_back is None:
        return f"{CANNOT}: {one.change.action} has no undo"
    undo = one.original.undo
    words = (*one.change.args, one.change.script, *one.way_back.args, *(undo.args if undo else ()))
    if past.hidden and any(past.hidden in word for word in words):
        return f"{CANNOT}: the journal hides a secret that its undo needs ({past.hidden})"
    return ""


def _by_hand(one: Made) -> str:
    done = one.change.command or one.change.summary
    return f"act by hand where it is wanted; the run did: {done}"


def _rebooted(seen: InForce) -> str:
    found = "the host was restarted since, which took it back"
    return f"{found}; what is there now was set at boot, not by this run" if seen in ("made", "changed") else found


def _back(past: RunToUndo, one: Made, snapshot: Snapshot) -> str:
    by = past.taken_back_by.get(one.step)
    if by:
        return f"run {by} took it back"
    after = one.change.back_after
    if after and one.at and snapshot.taken_at.utc - one.at >= after:
        return f"the host itself took it back after {format_duration(after)}"
    return "it is as it was before already: somebody took it back"


def _words(one: Made, looked: Compared | None) -> str:
    """What a look found, as people say it: "vm.swappiness is 30 now; we set 10: not ours any more"."""
    if looked is None:
        return ""
    found = _LEFT.search(looked.why)
    if found is None:
        return looked.why
    name = (
        found["what"].removeprefix("/proc/sys/").replace("/", ".") if "/proc/sys/" in found["what"] else found["what"]
    )
    verb = "we set" if one.of is None else "before the undo it was"
    return f"{name} is {found['now']} now; {verb} {found['ours']}: {NOT_OURS}"


def touches_the_same(one: Made, step: PlannedStep) -> bool:
    """True where a step that is carried out first changes what this one looks at."""
    return step.change is not None and _touches(one, step.change)


def changed_later(every: Sequence[Made], mine: Sequence[Made]) -> dict[str, str]:
    """By step of `mine`, the newest step of a run that changed the same after it and is none of these."""
    return {
        one.step: later.step
        for place, one in enumerate(every)
        for later in every[place + 1 :]
        if one in mine and later not in mine and not later.taken_back and _touches(one, later.change)
    }


def _touches(one: Made, change: Change) -> bool:
    undo = one.original.undo
    files = {arg for arg in (undo.args if undo else ()) if arg.startswith("/")}
    return change.target == one.change.target or bool(files & set(change.args))


def _described(
    one: Made, decision: DecisionWord, *, why: str = "", hint: str = "", provisional: bool = False
) -> PlannedStep:
    name, _, item = one.step.partition("/")
    return PlannedStep(
        id=name,
        name=one.change.summary,
        action=one.change.action,
        item=item,
        decision=decision,
        why=why,
        hint=hint,
        change=one.way_back if decision == "change" else None,
        verify=(PROOF if one.of is None else AGAIN) if decision == "change" else "",
        provisional=provisional,
        gate=decision == "change",
    )


def _label(end: StepFinished) -> str:
    return f"{end.id}/{end.item}" if end.item else end.id
