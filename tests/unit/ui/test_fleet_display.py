from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.golden import samples as s

from memrunbook.core.instant import Instant
from memrunbook.core.run.event import Diagnosed, LockBroken, RunFinished, StepFinished
from memrunbook.core.run.request import AskApproval, Execute, Lock, ReadFacts, Record, Request, Turn, Wait
from memrunbook.ui.block import line
from memrunbook.ui.fleet_display import FleetDisplay
from memrunbook.ui.screen import Screen

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CHANGE = s.change()
STEP = s.step()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Fleet:
    """A display of three hosts, whose time passes by hand."""

    stream: Terminal = field(default_factory=Terminal)
    seconds: float = 0.0
    display: FleetDisplay = field(init=False)
    verbose: bool = False

    def __post_init__(self) -> None:
        screen = Screen("never", self.stream, {"TERM": "xterm"}, 100)
        self.display = FleetDisplay(screen, self.now, ["a", "b", "c"], verbose=self.verbose)

    def now(self) -> Instant:
        return Instant(utc=1000.0 + self.seconds, monotonic=self.seconds)

    def shown(self) -> list[str]:
        return ["".join(span.text for span in content) for content in self.display._drawn(100, 24)]

    def said(self) -> list[str]:
        plain = ESCAPES.sub("", self.stream.getvalue()).replace("\r", "\n")
        return [
            content for content in plain.splitlines() if content and " hosts, " not in content and content[0] != " "
        ]


@contextmanager
def fleet(*, verbose: bool = False) -> Iterator[Fleet]:
    found = Fleet(verbose=verbose)
    with found.display:
        yield found


def test_a_host_goes_through_its_states() -> None:
    label = STEP.label
    stages: list[tuple[Request, str, str]] = [
        (ReadFacts(("memory", "swap"), 2, 5.0, "diagnosis"), "reading", "reading 2 facts (diagnosis)  2.0 s of 65 s"),
        (AskApproval(STEP, s.NOW), "at a gate", f"{label}: waiting for an answer  2.0 s"),
        (Lock(), "reading", "taking the lock of the host  2.0 s"),
        (Execute(label, CHANGE), "changing", f"{label}: {CHANGE.summary}  2.0 s of 3 min"),
        (Wait(5.0, "verify it"), "proving", f"{label}: proving that it helped  2.0 s of 3 min"),
        (Execute(label, CHANGE, undo=True), "changing", f"{label}: taking back: {CHANGE.summary}  2.0 s of 3 min"),
    ]
    with fleet() as one:
        one.display.connecting("a")
        assert one.shown()[0] == "3 hosts, 0.0 s: 2 waiting, 1 connecting"
        for request, state, doing in stages:
            one.display.asked("a", request)
            one.seconds += 2
            first, row = one.shown()
            assert first.endswith(f": 2 waiting, 1 {state}")
            assert re.sub(" {2,}", "  ", row) == f"  a  {doing}"
        one.display.asked("a", Turn(label, CHANGE))
        assert one.shown() == ["3 hosts, 12 s: 3 waiting"]


def test_the_time_of_a_proof_runs_on_through_its_reads_and_waits() -> None:
    with fleet() as one:
        one.display.asked("a", Record(Diagnosed(s.runbook_diagnosis(), s.plan(), {})))
        one.display.asked("a", Execute(STEP.label, CHANGE))
        for _ in range(4):
            one.display.asked("a", ReadFacts(("memory",), 2, 5.0, "verify it"))
            one.seconds += 5
            one.display.asked("a", Wait(5.0, "verify it"))
        assert "20 s of 3 min" in one.shown()[1]
        one.display.asked("a", Record(s.finished()))
        one.display.asked("a", ReadFacts(("memory",), 2, 5.0, "is it over?"))
        assert "1 reading" in one.shown()[0]


def test_while_it_is_connected_to_the_reason_may_change_and_the_time_runs_on() -> None:
    with fleet() as one:
        one.display.connecting("a")
        one.seconds += 30
        one.display.waiting("a", "TCP answers, no SSH banner")
        assert re.sub(" {2,}", "  ", one.shown()[1]) == "  a  TCP answers, no SSH banner  30 s"


def test_how_a_host_ended_and_what_needs_attention_gets_a_line() -> None:
    with fleet() as one:
        for host in ("a", "b"):
            one.display.asked(host, Record(Diagnosed(s.runbook_diagnosis(), s.plan(), {})))
        one.display.asked("a", Record(s.finished()))
        one.display.ended("a", "resolved", "")
        one.display.asked("b", Record(_failed()))
        one.display.asked("b", Record(RunFinished("failed", "step restart failed")))
        one.display.ended("b", "failed", "step restart failed")
        one.display.asked("c", Record(LockBroken("run-1 ada", "stale")))
        one.display.ended("c", "interrupted", "a person asked to stop")
        assert one.shown() == ["3 hosts, 0.0 s: 1 done, 1 failed, 1 interrupted"]
    assert one.said() == [
        "a  RESOLVED: the incident is over and stayed so",
        "b  FAILED: step restart failed: exit status 1",
        "c  took over the lock of run run-1 by ada: its shell was gone",
    ]


def _failed() -> StepFinished:
    return s.finished("failed", why="exit status 1; it is left as it is", seconds=0.0)


def test_verbose_tells_all() -> None:
    with fleet(verbose=True) as one:
        one.display.asked("a", Record(s.finished(seconds=0.0, summary="Restart it")))
        one.display.asked("a", Record(s.finished("skipped", why="the incident is over")))
        one.display.asked("a", Record(RunFinished("resolved", "")))
        one.display.ended("a", "resolved", "")
    assert one.said() == ["a  done  restart-grower  Restart it", "a  RESOLVED: the incident is over and stayed so"]


def test_what_ctrl_c_does_is_drawn_above_the_hosts() -> None:
    with fleet() as one:
        one.display.note = "Stopping: nothing new is begun. Ctrl-C again leaves at once."
        assert one.shown()[0].startswith("Stopping")
        with one.display.paused():
            one.display.say(line("it waits"))
    assert "it waits" in one.said()
