"""What a run may ask of the world, and what it is told. Every answer carries its time: a run never asks for it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, Literal, TypeVar, cast

from msgspec import Struct

from memrunbook.core.action.action import Change, Undo
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Event, LockBroken, LookedAt
from memrunbook.core.runbook.condition import Evidence

A = TypeVar("A")
GateAnswer = Literal["yes", "no", "skip", "quit", "quit-all"]


class Done(Struct, frozen=True, tag=True):
    """The script ended with status 0."""

    at: Instant
    output: str = ""
    seconds: float = 0.0
    evidence: str = ""


class Failed(Struct, frozen=True, tag=True):
    """The script ended with another status, or was never started: then the host is surely `untouched`."""

    at: Instant
    why: str
    output: str = ""
    seconds: float = 0.0
    untouched: bool = False


class Unknown(Struct, frozen=True, tag=True):
    """It is not known whether the script ran to its end: the deadline passed or the connection was lost."""

    at: Instant
    why: str
    output: str = ""
    seconds: float = 0.0


Executed = Done | Failed | Unknown


class Approval(Struct, frozen=True, tag=True):
    """The answer at a gate: what, who gave it, how (terminal, --yes, --allow, none) and why.

    `again` is the question's own word where that was said: without it nothing of unknown outcome is repeated.
    """

    at: Instant
    answer: GateAnswer
    digest: str = ""
    who: str = ""
    how: str = ""
    why: str = ""
    again: str = ""


class Seen(Struct, frozen=True, tag=True):
    """What the host's own mark says of a command: it ended (with `status`), only began, is at work, or never began.

    `unseen`: the mark is not there any more, or could not be read; `why` says so.
    """

    at: Instant
    found: Literal["ended", "begun", "at-work", "absent", "unseen"]
    status: int = 0
    why: str = ""


class Waited(Struct, frozen=True, tag=True):
    """The wait is over."""

    at: Instant


class TookOver(Struct, frozen=True, tag=True):
    """The lock was another's, and was taken over."""

    at: Instant
    broken: LockBroken


class Compared(Struct, frozen=True, tag=True):
    """What a comparison of a change found, and in words what is there instead of it.

    made: it is in force; back: it is as it was before; changed: somebody else has changed it, or taking it back would
    do harm; gone: what was changed is gone; unknown: that could not be seen.
    """

    at: Instant
    state: Literal["made", "back", "changed", "gone", "unknown"]
    why: str = ""


class TakesBack(Struct, frozen=True):
    """The change that another one takes back, and the run that had made it."""

    change: Change
    run: str


class Ask(Struct, Generic[A], frozen=True, tag=True):
    """A question to the world; the parameter is the type of its answer."""


class ReadFacts(Ask[Snapshot], frozen=True, tag=True):
    """Read facts: `count` samples `every` seconds apart; an earlier one with no change since may serve as the first.

    Those in `alone` are read without what they would add from other facts, unless these are read anyway.
    """

    facts: tuple[str, ...]
    count: int
    every: float
    why: str
    alone: tuple[str, ...] = ()


class AskApproval(Ask[Approval], frozen=True, tag=True):
    """Ask at the gate. `evidence` is what speaks for it, by title; `changed` what moved since it was asked before.

    `offered`: a change that was not proven may be taken back. No consent given before covers that.
    `looks` are earlier beginnings of the same change on this host, and what was seen of them.
    `limits` are the reasons why what was allowed beforehand is not enough: a person must say it now.
    """

    step: PlannedStep
    snapshot_at: Instant
    evidence: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    changed: str = ""
    looks: tuple[LookedAt, ...] = ()
    offered: bool = False
    limits: tuple[str, ...] = ()

    @property
    def again(self) -> str:
        """The word for a change whose earlier outcome is unknown (again:ACTION:TARGET); empty where none is."""
        change = self.step.change
        return f"again:{change.action}:{change.target}" if change is not None and self.begun_by else ""

    @property
    def begun_by(self) -> tuple[str, ...]:
        """The runs that began the same change, of which it is not known how that ended."""
        return tuple(look.run for look in self.looks if look.once and not look.settled)


WAITED = 10.0
"""Seconds between the newest facts and a turn, or within an effect's own wait, from which on they are read again."""


class Turn(Ask[Waited], frozen=True, tag=True):
    """Wait until no other host is at the same; the turn is kept until the step has ended.

    Raises Refused in the runtime where that takes too long, or where what happened meanwhile needs a person's word.
    """

    step: str
    change: Change


class Execute(Ask[Executed], frozen=True, tag=True):
    """Carry out a change, or its undo. `of` is what the change takes back, in a run that undoes another."""

    step: str
    change: Change
    undo: bool = False
    of: TakesBack | None = None


class Compare(Ask[Compared], frozen=True, tag=True):
    """Compare whether what an undo would take back is in force; nothing is changed."""

    step: str
    undo: Undo


class Look(Ask[Seen], frozen=True, tag=True):
    """Look on the host how far a command came that `run` began with the journal's `record`; nothing is changed.

    `unit` is the service that it was about, empty where it was about none.
    """

    run: str
    record: str
    unit: str = ""


class Wait(Ask[Waited], frozen=True, tag=True):
    """Let time pass."""

    seconds: float
    why: str


class Lock(Ask[Waited | TookOver], frozen=True, tag=True):
    """Take the host's lock for this run; raises Refused in the runtime where somebody else has it."""


class Unlock(Ask[Waited], frozen=True, tag=True):
    """Give the host's lock back."""


class Record(Ask[Waited], frozen=True, tag=True):
    """Remember an event."""

    event: Event


Request = ReadFacts | AskApproval | Turn | Execute | Compare | Look | Wait | Lock | Unlock | Record
"""Everything that a run may ask. Whoever answers matches all of them: a new one that is forgotten is a type error."""

Told = Snapshot | Approval | Executed | Compared | Seen | Waited | TookOver
"""Everything that a run may be told."""

Asking = Generator[Request, Any, A]


def ask(request: Ask[A]) -> Asking[A]:
    """Asks the world one question; the type of the question names the type of the answer."""
    answer = yield cast("Request", request)
    return cast("A", answer)


def lock_host() -> Asking[None]:
    """Takes the host's lock; whose lock was broken for that is remembered."""
    taken = yield from ask(Lock())
    if isinstance(taken, TookOver):
        yield from ask(Record(taken.broken))
