"""What a run may ask of the world, and what it is told. Every answer carries its time: a run never asks for it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, Literal, TypeVar, cast

from msgspec import Struct

from memrunbook.core.action.action import Change
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Event
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
    """The script ended with another status, or was never started."""

    at: Instant
    why: str
    output: str = ""
    seconds: float = 0.0


class Unknown(Struct, frozen=True, tag=True):
    """It is not known whether the script ran to its end: the deadline passed or the connection was lost."""

    at: Instant
    why: str
    output: str = ""
    seconds: float = 0.0


Executed = Done | Failed | Unknown


class Approval(Struct, frozen=True, tag=True):
    """The answer at a gate: what, who gave it, how (terminal, --yes, --allow, none) and why."""

    at: Instant
    answer: GateAnswer
    digest: str = ""
    who: str = ""
    how: str = ""
    why: str = ""


class Waited(Struct, frozen=True, tag=True):
    """The wait is over."""

    at: Instant


class Ask(Struct, Generic[A], frozen=True, tag=True):
    """A question to the world; the parameter is the type of its answer."""


class ReadFacts(Ask[Snapshot], frozen=True, tag=True):
    """Read facts: `count` samples `every` seconds apart; an earlier one with no change since may serve as the first."""

    facts: tuple[str, ...]
    count: int
    every: float
    why: str


class AskApproval(Ask[Approval], frozen=True, tag=True):
    """Ask at the gate. `evidence` is what speaks for it, by title; `changed` what moved since it was asked before.

    `limits` are the reasons why what was allowed beforehand is not enough: a person must say it now.
    """

    step: PlannedStep
    snapshot_at: Instant
    evidence: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    changed: str = ""
    limits: tuple[str, ...] = ()


class Execute(Ask[Executed], frozen=True, tag=True):
    """Carry out a change, or its undo."""

    step: str
    change: Change
    undo: bool = False


class Wait(Ask[Waited], frozen=True, tag=True):
    """Let time pass."""

    seconds: float
    why: str


class Lock(Ask[Waited], frozen=True, tag=True):
    """Take the host's lock for this run; raises Refused in the runtime where somebody else has it."""


class Unlock(Ask[Waited], frozen=True, tag=True):
    """Give the host's lock back."""


class Record(Ask[Waited], frozen=True, tag=True):
    """Remember an event."""

    event: Event


Request = ReadFacts | AskApproval | Execute | Wait | Lock | Unlock | Record
"""Everything that a run may ask. Whoever answers matches all of them: a new one that is forgotten is a type error."""

Told = Snapshot | Approval | Executed | Waited
"""Everything that a run may be told."""

Asking = Generator[Request, Any, A]


def ask(request: Ask[A]) -> Asking[A]:
    """Asks the world one question; the type of the question names the type of the answer."""
    answer = yield cast("Request", request)
    return cast("A", answer)
