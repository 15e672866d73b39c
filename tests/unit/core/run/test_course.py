"""The course of a run is what its journal says, and nothing is filled in."""

from __future__ import annotations

from typing import Any

from msgspec import structs
from tests.golden import samples as s
from tests.lab.small import FACTS, Memory, snapshot

from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.run.course import Course, CourseReading, course_of
from memrunbook.core.run.event import Diagnosed, RunFinished, StepFinished
from memrunbook.core.run.record import Answered, Asked, Envelope, Recorded, plain
from memrunbook.core.run.request import Approval, AskApproval, Done, Execute, ReadFacts, Unknown

KINDS = {name: fact.reading for name, fact in FACTS.items()}
METRICS = ("memory.available_percent", "memory.zones", "pressure.full.percent")
BEGAN = 1_795_340_467.0


def at(seconds: float) -> Instant:
    return Instant(BEGAN + seconds, seconds)


def record(envelope: Envelope, seconds: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"time": at(seconds).isoformat(), "engine": "0.9", "runbook": "r", "hash": f"h{seconds:g}", **more,
            **plain(envelope)}  # fmt: skip


def read(percent: float, seconds: float, why: str = "diagnosis") -> list[dict[str, Any]]:
    told = structs.replace(snapshot(memory=Memory(available_percent=percent, zones=[0.5])), taken_at=at(seconds))
    asked = Asked(ReadFacts(("memory",), 1, 0.0, why))
    return [record(asked, seconds), record(Answered(told), seconds)]


def course(*records: dict[str, Any]) -> Course:
    return course_of(records, METRICS, KINDS)


def test_each_reading_has_its_time_its_reason_and_the_numbers_that_were_had() -> None:
    found = course(*read(3.0, 0), *read(61.5, 60, "verify restart"))
    assert found.readings == (
        CourseReading(BEGAN, "diagnosis", {"memory.available_percent": 3.0}),
        CourseReading(BEGAN + 60, "verify restart", {"memory.available_percent": 61.5}),
    )
    assert (found.engine, found.runbook, found.records, found.head) == ("0.9", "r", 4, "h60")


def test_a_step_is_at_work_from_its_question_to_its_answer_and_gates_have_their_digests() -> None:
    change = s.change()
    step = s.step(change)
    found = course(
        record(Asked(AskApproval(step, at(0))), 1),
        record(Answered(Approval(at(5), "yes", change.digest, "ada", "terminal", "looks right")), 5),
        record(Asked(Execute(step.label, change)), 6),
        record(Answered(Done(at(9))), 9),
        record(Asked(Execute(step.label, change, undo=True)), 10),
        record(Answered(Unknown(at(70), "lost")), 70),
        record(Asked(Execute("last", change)), 71),
    )
    assert [(one.label, one.begun, one.ended, one.undo) for one in found.steps] == [
        (step.label, BEGAN + 6, BEGAN + 9, False), (step.label, BEGAN + 10, None, True),
        ("last", BEGAN + 71, None, False),
    ]  # fmt: skip
    [gate] = found.gates
    assert (gate.step, gate.digest, gate.answer, gate.who, gate.how) == (
        step.label, change.digest, "yes", "ada", "terminal",
    )  # fmt: skip


def test_what_the_run_itself_noted_stands_apart() -> None:
    begun = Diagnosed(s.runbook_diagnosis(), s.plan(), {"memory.available_percent": 3, "x": None, "y": True})
    ended = StepFinished(id="a", name="A", action="a", state="done", after={"memory.available_percent": 9.5})
    found = course(record(Recorded(begun), 1), record(Recorded(ended), 2), record(Recorded(RunFinished("resolved")), 3))
    assert found.told == (
        CourseReading(BEGAN + 1, "before the run", {"memory.available_percent": 3.0}),
        CourseReading(BEGAN + 2, "after a", {"memory.available_percent": 9.5}),
    )
    assert found.plan == s.plan()
    assert found.readings == ()


def test_a_reading_of_another_version_is_counted_and_the_rest_is_read() -> None:
    other, strange = read(3.0, 0), read(4.0, 10)
    other[1]["answer"]["readings"]["unheard_of"] = {"what": 1}  # not wanted: no matter
    strange[1]["answer"]["readings"]["memory"] = {"available_percent": "much"}
    found = course(*other, *strange, *read(5.0, 20))
    assert [one.values["memory.available_percent"] for one in found.readings] == [3.0, 5.0]
    assert found.unread == 1


def test_the_identity_is_the_newest_that_is_known() -> None:
    known = {"machine_id": "m1", "boot_id": "b1"}
    found = course(*read(1.0, 0), record(Recorded(RunFinished("resolved")), 1, identity=known))
    assert found.identity == HostIdentity(machine_id="m1", boot_id="b1")


def test_a_journal_that_says_nothing_or_nonsense() -> None:
    assert course() == Course()
    found = course({"time": 5, "event": "asked"}, {"answer": [], "event": "answered"}, {"hash": 7, "identity": "x"})
    assert found == Course(records=3)
