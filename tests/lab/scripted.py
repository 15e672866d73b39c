"""A world that a test writes down: what is read, approved and executed, in turn; the last of each for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.lab import small
from tests.lab.worlds import Run, follow

from memrunbook.core.errors import RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.rules import NO_RULES, HostRules
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.request import (
    Approval,
    AskApproval,
    Done,
    Execute,
    Failed,
    ReadFacts,
    Record,
    Request,
    Unknown,
    Wait,
    Waited,
)  # fmt: skip
from memrunbook.core.runbook.bound import Runbook

Readings = dict[str, Reading | Unavailable]
Steps = list[tuple[str, str]]


def at(percent: float | None, *names: str, **readings: Any) -> Readings:
    """A host with so much memory left and these services."""
    units = small.services(*(names or ("web",)))
    return {"memory": small.Memory(available_percent=percent), "units": units, **readings}


@dataclass
class Scripted:
    """Reads take a second, waits their time; `trouble` is thrown in at the n-th question of a kind (from 1).

    `cut` says how many samples the n-th read came to where it was cut short.
    """

    reads: Sequence[Readings]
    answers: Sequence[Any] = ("yes",)
    ends: Sequence[Any] = (Done,)
    trouble: dict[tuple[str, int], RunbookError] = field(default_factory=dict)
    how: str = "terminal"
    rules: HostRules = NO_RULES
    cut: dict[int, int] = field(default_factory=dict)
    time: float = 0.0
    asked: dict[str, int] = field(default_factory=dict)

    def error(self, request: Request) -> RunbookError | None:
        kind = type(request).__name__
        self.asked[kind] = self.asked.get(kind, 0) + 1
        return self.trouble.get((kind, self.asked[kind]))

    def answer(self, request: Request) -> Any:
        now = self._next(request)
        if isinstance(request, ReadFacts):
            known = {
                name: value for name, value in self._turn(self.reads, "ReadFacts").items() if name in request.facts
            }
            samples = self.cut.get(self.asked["ReadFacts"], request.count)
            return msgspec.structs.replace(small.snapshot(self.time, **known), samples=samples, rules=self.rules)
        if isinstance(request, AskApproval):
            answer = self._turn(self.answers, "AskApproval")
            return answer if isinstance(answer, Approval) else Approval(now, answer, request.step.digest, how=self.how)
        if isinstance(request, Execute):
            end = self._turn(self.ends, "Execute")
            return end(now, "it broke") if end in (Failed, Unknown) else end(now)
        return Waited(now)

    def _next(self, request: Request) -> Instant:
        self.time += 1.0 if isinstance(request, ReadFacts | Execute | AskApproval) else 0.0
        self.time += request.seconds if isinstance(request, Wait) else 0.0
        return Instant(1_700_000_000.0 + self.time, self.time)

    def _turn(self, several: Sequence[Any], kind: str) -> Any:
        return several[min(self.asked[kind], len(several)) - 1]


def run(runbook: Runbook, *reads: Readings, **world: Any) -> Run:
    """A run in a world that begins with these readings."""
    return follow(runbook, Scripted(reads, **world))


def kinds(played: Run) -> list[str]:
    """What was asked, in order, records apart."""
    return [type(told.request).__name__ for told in played.told if not isinstance(told.request, Record)]


def states(played: Run) -> Steps:
    """How each step and item ended."""
    return [(label(event), event.state) for event in played.finished]


def label(event: StepFinished) -> str:
    return f"{event.id}/{event.item}" if event.item else event.id


def only(played: Run) -> StepFinished:
    """The one step of a run."""
    (event,) = played.finished
    return event
