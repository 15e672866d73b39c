"""What a run has made of a host, as its journal tells it, and the change that takes each of that back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from memrunbook.core.action.action import Change, Repeat, Risk, Undo
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.record import Answered, Asked, Envelope, NotAnswered
from memrunbook.core.run.request import Done, Execute, Failed, TakesBack

COSTS = {
    "auto": "what the change had gained is lost again",
    "offer": "taking this back on a host that is short of memory can stall it or end services: look at it first",
    "none": "",
}
KEPT_FILES = "/etc/"


class Made(Struct, frozen=True, kw_only=True):
    """One change of a run. `at` is when its end was seen, in seconds since 1970; 0 where it was not.

    `taken_back` says that the run itself took it back. `of` is there where the change itself took another back.
    """

    step: str
    change: Change
    end: Literal["done", "failed", "unknown"] = "unknown"
    at: float = 0.0
    taken_back: bool = False
    of: TakesBack | None = None

    @property
    def original(self) -> Change:
        """The change that an undo of which looks: itself, or the one that it took back."""
        return self.change if self.of is None else self.of.change

    @property
    def way_back(self) -> Change | None:
        """The change that takes it back; None where nothing does."""
        if self.of is not None:
            return self.of.change
        return reversal(self.change) if self.change.undo is not None else None

    @property
    def lasting(self) -> bool:
        """True for what outlives a reboot."""
        undo = self.original.undo
        return undo is not None and (undo.lasting or any(arg.startswith(KEPT_FILES) for arg in undo.args))


def reversal(change: Change) -> Change:
    """Taking back as a change of its own, which can be taken back in turn; ValueError for one that has no undo.

    What is only offered may cost a service, so its name is typed; what is taken back by itself is no more than that.
    """
    undo = change.undo
    if undo is None:
        raise ValueError(f"{change.action}: it has no undo")
    return Change(
        action=change.action,
        summary=undo.summary,
        target=change.target,
        script=undo.script,
        identity=change.identity,
        args=undo.args,
        risk=Risk.HIGH if undo.mode == "offer" else min(change.risk, Risk.MEDIUM),
        repeat=Repeat.IDEMPOTENT,
        undo=Undo(f"{change.summary} again", change.script, change.args, "offer"),
        costs=undo.costs or COSTS[undo.mode],
        settle=change.settle,
        timeout=change.timeout,
        touches=change.touches,
        acts_on=change.acts_on,
        command=f"{undo.summary} (the undo of: {change.command or change.summary})",
    )


def made(envelopes: Iterable[Envelope]) -> tuple[Made, ...]:
    """The changes of a journal, in the order they were made, each once; reads and what was never begun are no changes.

    A question without an answer may have been carried out: its end is unknown.
    """
    found: dict[tuple[str, str], Made] = {}
    asked: Execute | None = None
    for envelope in envelopes:
        if isinstance(envelope, Asked):
            asked = envelope.request if isinstance(envelope.request, Execute) else None
            if asked is not None and asked.change.repeat is not Repeat.READ and not asked.undo:
                found.setdefault(_key(asked), Made(step=asked.step, change=asked.change, of=asked.of))
        elif asked is not None and isinstance(envelope, Answered | NotAnswered) and _key(asked) in found:
            _answered(found, asked, envelope)
            asked = None
    return tuple(found.values())


def boot_of(envelopes: Iterable[Envelope]) -> tuple[str, str]:
    """Machine and boot that the journal's last reading was of; empty where there is none."""
    identity = ("", "")
    for envelope in envelopes:
        if isinstance(envelope, Answered) and isinstance(envelope.answer, Snapshot):
            read = envelope.answer.identity
            identity = (read.machine_id or identity[0], read.boot_id or identity[1])
    return identity


def _key(asked: Execute) -> tuple[str, str]:
    return asked.step, asked.change.digest


def _answered(found: dict[tuple[str, str], Made], asked: Execute, envelope: Answered | NotAnswered) -> None:
    """Notes what an answer says of a change. An error means that it was not begun."""
    key = _key(asked)
    answer = envelope.answer if isinstance(envelope, Answered) else None
    unbegun = answer is None or (isinstance(answer, Failed) and answer.untouched)
    before = found[key]
    if asked.undo:
        found[key] = msgspec.structs.replace(before, taken_back=before.taken_back or isinstance(answer, Done))
    elif unbegun and not before.at:
        del found[key]
    elif not unbegun and answer is not None:
        end: Literal["done", "failed", "unknown"] = "unknown"
        if isinstance(answer, Done | Failed):
            end = "done" if isinstance(answer, Done) else "failed"
        at = getattr(answer, "at", None)
        found[key] = msgspec.structs.replace(before, end=end, at=at.utc if at else 0.0)
