"""Any world that a run may live in: random runbooks, and answers that follow no rule but their types and the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Protocol

from tests.lab import small

from memrunbook.core.errors import Interrupted, OutOfDate, Refused, RunbookError, SessionLost
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.applied import ApprovedPlan, as_approved
from memrunbook.core.run.event import Event, RunFinished, StepFinished
from memrunbook.core.run.request import (
    Approval,
    AskApproval,
    Done,
    Execute,
    Executed,
    Failed,
    ReadFacts,
    Record,
    Request,
    Unknown,
    Wait,
    Waited,
)  # fmt: skip
from memrunbook.core.run.run import run_plan
from memrunbook.core.runbook.bound import Runbook, Step
from memrunbook.core.runbook.spec import RetriesSpec, Sampling, VerifySpec
from memrunbook.core.units import Duration

NAMES = ("web", "db", "cron")
ENOUGH = 600
GONE = Unavailable("timeout", "no answer in 60 s")
HEALTHY = "memory.available_percent >= 10.0"
PROOFS = (HEALTHY, "memory.available_percent < 70.0", "units.all.exists(u, u.name == target)")
Choose = Callable[[Sequence[Any]], Any]
"""Picks one of several: Hypothesis, which can shrink, or a seeded generator, which is fast."""


def mostly(choose: Choose, usual: Any, *rare: Any) -> Any:
    """The usual, and about one time in twenty something else."""
    return choose([usual] * 19 * len(rare) + [*rare])


def some_condition(choose: Choose) -> str:
    usual: str = choose(["", "memory.available_percent < 70.0", "size(units.all) > 0"])
    return str(mostly(choose, usual, HEALTHY, "checks.short"))


def some_proof(choose: Choose) -> VerifySpec | None:
    within, hold = Duration(choose([0, 30, 90])), Duration(choose([0, 20]))
    found: VerifySpec | None = choose([None, *(VerifySpec(that, within, hold) for that in PROOFS)])
    return found


def some_step(choose: Choose, number: int) -> Step:
    each = choose(["", "units.all", "units.all.filter(u, u.bytes > 1)"])
    values = {
        "unit": "= item.name" if each else choose(NAMES),
        "kind": choose(["read", "idempotent", "once"]),
        "risk": choose([0, 1, 2, 3]),
        "undo": choose([None, "auto", "auto", "offer"]),
        "settle": choose([0.0, 3.0]),
        "proven": choose(["", HEALTHY]),
    }
    return small.step(
        f"step-{number}",
        when=some_condition(choose),
        guard=some_condition(choose),
        for_each=each,
        limit=choose([1, 2, 3]),
        values=values,
        verify=some_proof(choose),
        on_failure=choose(["stop", "continue"]),
        confirm=mostly(choose, "auto", "always"),
        retries=choose([None, RetriesSpec(2, Duration(4))]),
    )


def some_runbook(choose: Choose) -> Runbook:
    return small.runbook(
        *(some_step(choose, number) for number in range(choose([1, 2, 3]))),
        resolved=choose(["", "", HEALTHY, "memory.available_percent > 30.0"]),
        hold=choose([0.0, 25.0]),
    )


def some_services(choose: Choose) -> tuple[small.Service, ...]:
    """In any order, so that the first, the biggest, is another one each time."""
    names = choose(list(permutations(NAMES)))[: mostly(choose, 3, 2, 0)]
    return tuple(
        small.Service(
            name=name,
            main_pid=mostly(choose, 100, 101),
            bytes=mostly(choose, 2, 0, None),
            failed=mostly(choose, False, True),
        )
        for name in names
    )


def some_readings(choose: Choose, percent: float) -> dict[str, Reading | Unavailable]:
    units = small.Units(all=some_services(choose))
    full = small.Full(percent=mostly(choose, 5.0, None, 90.0))
    return {
        "memory": mostly(choose, small.Memory(available_percent=mostly(choose, percent, None, 20.0, 60.0)), GONE),
        "units": mostly(choose, units, GONE),
        "pressure": small.Pressure(full=full),
    }


@dataclass
class Told:
    """One question of a run, and what it was told: an answer, or the error that was thrown in."""

    request: Request
    answer: Any = None
    error: RunbookError | None = None


@dataclass
class Run:
    """A run in one world, played to its end."""

    runbook: Runbook
    told: list[Told] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return [one.request.event for one in self.told if isinstance(one.request, Record)]

    @property
    def finished(self) -> list[StepFinished]:
        return [event for event in self.events if isinstance(event, StepFinished)]

    @property
    def end(self) -> RunFinished:
        (end,) = [event for event in self.events if isinstance(event, RunFinished)]
        return end

    @property
    def executed(self) -> list[tuple[int, Execute]]:
        """What was really carried out: the error of an interpreter means that it was not."""
        return [
            (n, one.request) for n, one in enumerate(self.told) if isinstance(one.request, Execute) and not one.error
        ]

    def step(self, label: str) -> Step:
        return next(step for step in self.runbook.steps if step.spec.id == label.partition("/")[0])


class World:
    """Answers anything at all; only its clock is to be relied on."""

    def __init__(self, choose: Choose) -> None:
        self.choose, self.time = choose, 0.0
        self.troubled = choose([False, True])
        self.relief = choose([5.0, 15.0, 60.0, 60.0])
        self.short = mostly(choose, 5.0, 60.0)
        self.acted = False

    def now(self) -> Instant:
        return Instant(1_700_000_000.0 + self.time, self.time)

    def error(self, request: Request) -> RunbookError | None:
        if not self.troubled or not self.choose([False] * 19 + [True]):
            return None
        late = [OutOfDate] if isinstance(request, Execute) else []
        kind: type[RunbookError] = self.choose([SessionLost, Interrupted, Refused, *late])
        return kind("trouble")

    def answer(self, request: Request) -> Any:
        self.time += 0.5
        if isinstance(request, ReadFacts):
            return self.read(request)
        if isinstance(request, AskApproval):
            return self.approve(request)
        if isinstance(request, Execute):
            return self.execute()
        if isinstance(request, Wait):
            self.time += request.seconds
        return Waited(self.now())

    def read(self, request: ReadFacts) -> Snapshot:
        self.time += request.every * (request.count - 1)
        readings = some_readings(self.choose, self.relief if self.acted else self.short)
        return small.snapshot(self.time, **{name: value for name, value in readings.items() if name in request.facts})

    def approve(self, request: AskApproval) -> Approval:
        self.time += self.choose([1.0, 900.0])
        answer = self.choose(["yes"] * 9 + ["no", "skip", "quit", "quit-all"])
        digest = mostly(self.choose, request.step.digest, "of something else")
        return Approval(self.now(), answer, digest, "somebody", self.choose(["terminal", "--yes"]))

    def execute(self) -> Executed:
        kind = self.choose([Done, Done, Done, Failed, Unknown])
        at, self.acted = self.now(), True
        executed: Executed = Done(at) if kind is Done else kind(at, "it broke")
        return executed


class Follows(Protocol):
    """A world that a run can live in."""

    def error(self, request: Request) -> RunbookError | None: ...

    def answer(self, request: Request) -> Any: ...


def play(runbook: Runbook, choose: Choose) -> Run:
    """Plays a run to its end in some world."""
    return follow(runbook, World(choose))


def follow(
    runbook: Runbook, world: Follows, watch: Sampling | None = None, approved: ApprovedPlan | None = None
) -> Run:
    """Plays a run to its end in this world; that of a saved plan where one is given."""
    run, asking = Run(runbook), run_plan(runbook, watch)
    asking = as_approved(asking, approved) if approved else asking
    request: Request = next(asking)
    while len(run.told) < ENOUGH:
        told = Told(request)
        run.told.append(told)
        # What is recorded is recorded: an interpreter that cannot do that raises JournalError past the run.
        told.error = None if isinstance(request, Record) else world.error(request)
        try:
            if told.error:
                request = asking.throw(told.error)
            else:
                told.answer = world.answer(request)
                request = asking.send(told.answer)
        except StopIteration:
            return run
    raise AssertionError("the run does not end")
