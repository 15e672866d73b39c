"""Any world that a run may live in: random runbooks, and answers that follow no rule but their types and the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.properties import small

from memrunbook.core.bound import Runbook, Step
from memrunbook.core.effects import (
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
from memrunbook.core.errors import Interrupted, Refused, RunbookError, SessionLost
from memrunbook.core.events import Event, RunFinished, StepFinished
from memrunbook.core.fact import Reading, Unavailable
from memrunbook.core.instant import Instant
from memrunbook.core.run import run_plan
from memrunbook.core.runbook import RetriesSpec, VerifySpec
from memrunbook.core.snapshot import Snapshot
from memrunbook.core.units import Duration

NAMES = ("web", "db", "cron")
ENOUGH = 600
GONE = Unavailable("timeout", "no answer in 60 s")
Draw = Callable[[st.SearchStrategy[Any]], Any]


def mostly(usual: Sequence[Any], *rare: Any) -> st.SearchStrategy[Any]:
    """One of the usual values, and about one time in ten another."""
    return st.sampled_from([*usual] * (-(-10 * len(rare) // len(usual))) + [*rare])


def memory(percent: Sequence[float]) -> st.SearchStrategy[Any]:
    known = st.builds(small.Memory, available_percent=mostly(percent, None, 1.0, 20.0, 60.0))
    return mostly([known], st.just(GONE)).flatmap(lambda one: one)


def service(name: str) -> st.SearchStrategy[small.Service]:
    return st.builds(
        small.Service,
        name=st.just(name),
        main_pid=mostly([100], 101),
        bytes=mostly([2, small.MIB], 0, None),
        failed=mostly([False], True),
    )


SERVICES = st.permutations([service(name) for name in NAMES]).flatmap(
    lambda some: mostly([3], 1, 0).flatmap(lambda count: st.tuples(*some[:count]))
)
UNITS = mostly([st.builds(small.Units, all=SERVICES)], st.just(GONE)).flatmap(lambda one: one)
FULL = st.builds(small.Full, percent=mostly([0.0, 5.0], None, 90.0))
PRESSURE = st.builds(small.Pressure, full=FULL)


def readings(percent: Sequence[float]) -> st.SearchStrategy[dict[str, Reading | Unavailable]]:
    return st.fixed_dictionaries({"memory": memory(percent), "units": UNITS, "pressure": PRESSURE})


HEALTHY = "memory.available_percent >= 10.0"
CONDITIONS = st.sampled_from(
    ["", "", HEALTHY, "memory.available_percent < 30.0", "checks.short", "size(units.all) > 0"]
)
PROOFS = st.none() | st.builds(
    VerifySpec,
    st.sampled_from([HEALTHY, "memory.available_percent < 30.0", "units.all.exists(u, u.name == target)"]),
    st.sampled_from([Duration(0), Duration(30), Duration(90)]),
    st.sampled_from([Duration(0), Duration(20)]),
)


@st.composite
def steps(draw: DrawFn, number: int) -> Step:
    each = draw(st.sampled_from(["", "units.all", "units.all.filter(u, u.bytes > 1)"]))
    values = {
        "unit": "= item.name" if each else draw(st.sampled_from(NAMES)),
        "kind": draw(st.sampled_from(["read", "idempotent", "once"])),
        "risk": draw(st.sampled_from([0, 1, 2, 3])),
        "undo": draw(st.sampled_from([None, "auto", "offer"])),
        "settle": draw(st.sampled_from([0.0, 3.0])),
        "proven": draw(st.sampled_from(["", HEALTHY])),
    }
    return small.step(
        f"step-{number}",
        when=draw(CONDITIONS),
        guard=draw(CONDITIONS),
        for_each=each,
        limit=draw(st.integers(1, 3)),
        values=values,
        verify=draw(PROOFS),
        on_failure=draw(st.sampled_from(["stop", "continue"])),
        confirm=draw(st.sampled_from(["auto", "auto", "always"])),
        retries=draw(st.none() | st.just(RetriesSpec(2, Duration(4)))),
    )


@st.composite
def runbooks(draw: DrawFn) -> Runbook:
    return small.runbook(
        *(draw(steps(number)) for number in range(draw(st.integers(1, 3)))),
        resolved=draw(st.sampled_from(["", "", HEALTHY, "memory.available_percent > 30.0"])),
        hold=draw(st.sampled_from([0.0, 25.0])),
    )


@dataclass
class Told:
    """One question of a run, and what it was told: an answer, or the error that was thrown in."""

    request: Request[Any]
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

    def __init__(self, draw: Draw, runbook: Runbook) -> None:
        self.draw, self.runbook, self.time = draw, runbook, 0.0
        self.troubled = draw(st.booleans())
        self.relief = draw(st.sampled_from([5.0, 15.0, 60.0, 60.0]))
        self.acted = False

    def now(self) -> Instant:
        return Instant(1_700_000_000.0 + self.time, self.time)

    def error(self) -> RunbookError | None:
        if not self.troubled or not self.draw(st.sampled_from([False] * 15 + [True])):
            return None
        kind: type[RunbookError] = self.draw(st.sampled_from([SessionLost, Interrupted, Refused]))
        return kind("trouble")

    def answer(self, request: Request[Any]) -> Any:
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
        drawn = self.draw(readings([self.relief if self.acted else 5.0]))
        return small.snapshot(self.time, **{name: value for name, value in drawn.items() if name in request.facts})

    def approve(self, request: AskApproval) -> Approval:
        self.time += self.draw(st.sampled_from([1.0, 900.0]))
        answer = self.draw(mostly(["yes"], "no", "skip", "quit", "quit-all"))
        digest = self.draw(mostly([request.step.digest], "of something else"))
        return Approval(self.now(), answer, digest, "somebody", self.draw(st.sampled_from(["terminal", "--yes"])))

    def execute(self) -> Executed:
        kind = self.draw(st.sampled_from([Done, Done, Done, Failed, Unknown]))
        at = self.now()
        self.acted = True
        executed: Executed = Done(at) if kind is Done else kind(at, "it broke")
        return executed


def play(runbook: Runbook, draw: Draw) -> Run:
    """Plays a run to its end in a world that the test draws."""
    world, run, asking = World(draw, runbook), Run(runbook), run_plan(runbook)
    request: Request[Any] = next(asking)
    while len(run.told) < ENOUGH:
        told = Told(request)
        run.told.append(told)
        # What is recorded is recorded: an interpreter that cannot do that raises JournalError past the run.
        told.error = None if isinstance(request, Record) else world.error()
        try:
            if told.error:
                request = asking.throw(told.error)
            else:
                told.answer = world.answer(request)
                request = asking.send(told.answer)
        except StopIteration:
            return run
    raise AssertionError("the run does not end")
