"""What a journal leaves open, folded from its records."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab import small

from memrunbook.core.host import HostIdentity
from memrunbook.core.run.event import LookedAt
from memrunbook.core.run.flight import Flight, OpenStep, clock, flight, still_open

HOG = {"action": "restart_unit", "target": "hog.service", "summary": "Restart hog.service", "effect": "once"}
LOOK = LookedAt(run="R1", step="act", action="restart_unit", target="hog.service", summary="Restart hog.service",
                started="2026-11-29T03:12:07.000Z", record="h1", found="done")  # fmt: skip


def asked(step: str = "act", number: int = 1, **more: Any) -> dict[str, Any]:
    change = {**HOG, **more.pop("change", {})}
    return {
        "event": "asked",
        "time": "2026-11-29T03:12:07.000Z",
        "run": "R1",
        "runbook": "lab",
        "host": "db7",
        "hash": f"h{number}",
        "actor": {"user": "ada", "control_node": "desk"},
        "identity": {"boot_id": "b1"},
        "request": {"type": "Execute", "step": step, "change": change, "undo": False, **more},
    }


def answered(kind: str = "Done", **more: Any) -> dict[str, Any]:
    return {"event": "answered", "answer": {"type": kind, **more}}


def finished(step: str = "act", **more: Any) -> dict[str, Any]:
    name, _, item = step.partition("/")
    return {"event": "recorded", "record": {"type": "step-finished", "id": name, "item": item, **more}}


def looked(**more: Any) -> dict[str, Any]:
    look = msgspec.structs.replace(LOOK, **more)
    return {"event": "recorded", "record": msgspec.to_builtins(look)}


def ended(outcome: str) -> dict[str, Any]:
    return {"event": "recorded", "record": {"type": "run-finished", "outcome": outcome}}


LOST = finished(state="unknown", left=True, why="carried out, but not proven: gone")


def open_of(*records: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.step, one.answer) for one in flight(records).open]


def test_a_command_without_an_answer_is_open_and_says_so() -> None:
    [opened] = flight([asked("act/hog.service")]).open
    assert opened.told == "act/hog.service: Restart hog.service: started 03:12:07 UTC, outcome unknown"
    assert (opened.run, opened.runbook, opened.host, opened.record) == ("R1", "lab", "db7", "h1")
    assert (opened.who, opened.boot_id, opened.once, opened.undo) == ("ada@desk", "b1", True, False)
    assert (opened.named, opened.consent) == ("restart_unit:hog.service", "again:restart_unit:hog.service")


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([asked()], [("act", "")]),
        ([asked(), answered()], [("act", "done")]),
        ([asked(), answered("Failed", why="no")], [("act", "failed")]),
        ([asked(), answered("Unknown", why="lost")], [("act", "unknown")]),
        ([asked(), answered(), finished()], []),
        ([asked("act/a"), answered(), finished("act/a"), asked("act/b", 2)], [("act/b", "")]),
        ([asked(), answered("Unknown"), finished(open=True)], [("act", "unknown")]),
        ([asked(), {"event": "error", "error": "Interrupted"}], []),
        ([asked(), answered(), asked(undo=True), {"event": "error", "error": "Interrupted"}], [("act", "done")]),
        ([asked(), answered(), finished(state="interrupted", left=True)], [("act", "done")]),
        ([asked(), answered(), finished(state="interrupted")], []),
        ([asked(change={"effect": "read"})], []),
        ([{"event": "asked", "request": {"type": "Wait"}}, answered("Waited")], []),
        ([asked(), {"event": "recorded", "record": {"type": "still-held"}}], [("act", "")]),
        ([asked(), answered("Snapshot")], [("act", "")]),
        ([{"event": "error"}, {"event": "ended"}, {}], []),
        ([asked(), looked()], [("act", "done")]),
        ([asked(), looked(found="failed")], [("act", "failed")]),
        ([asked(), looked(found="unknown")], [("act", "")]),
        ([asked(), looked(found="not-done")], []),
        ([asked(), looked(found="again")], []),
        ([asked(), looked(record="h9")], [("act", "")]),
        ([asked(undo=True), looked(found="not-done")], [("act", "")]),
        (
            [asked(), answered(), finished(state="unknown", left=True, why="carried out, but not proven: gone")],
            [("act", "done")],
        ),
        ([asked(), answered(), LOST, ended("unreachable")], [("act", "done")]),
        ([asked(), answered(), LOST, ended("failed")], []),
        ([asked(), answered(), finished(state="unknown", left=True, why="cut off while it ran: gone")], []),
        ([asked(), answered(), finished(state="unknown", why="carried out, but not proven: lost in the journal")], []),
    ],
)
def test_what_is_open_by_the_records(records: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert open_of(*records) == expected


def test_what_was_carried_out_and_what_was_being_taken_back_is_said() -> None:
    [done] = flight([asked(), answered()]).open
    assert done.told.endswith("started 03:12:07 UTC, carried out, not proven")
    [failed] = flight([asked(), answered("Failed")]).open
    assert failed.told.endswith("failed, and nothing was done about it")
    [back] = flight([asked(undo=True)]).open
    assert "was being taken back, started" in back.told


def test_a_record_that_says_little_is_told_as_far_as_it_goes() -> None:
    [opened] = flight([{"event": "asked", "request": {"type": "Execute"}}]).open
    assert opened.told == ": : started at an unknown time, outcome unknown"
    assert clock("2026-11-29") == "2026-11-29"


def test_looks_of_other_runs_settle_what_they_found_out() -> None:
    mine = flight([asked()])
    assert still_open([mine]) == mine.open
    theirs = flight([looked()])
    assert theirs == Flight((), (LOOK,))
    assert still_open([mine, theirs]) == ()
    assert still_open([mine, flight([looked(found="unknown")])]) == mine.open


def test_a_step_is_on_a_host_by_its_name_or_by_the_boot_that_it_is_in() -> None:
    [opened] = flight([asked()]).open
    here = small.snapshot()
    assert not opened.is_on(here)
    assert opened.is_on(msgspec.structs.replace(here, host="db7"))
    assert opened.is_on(msgspec.structs.replace(here, identity=HostIdentity(boot_id="b1")))
    nowhere = OpenStep(run="", runbook="", host="x", step="", action="", target="", summary="", started="", record="")
    assert not nowhere.is_on(msgspec.structs.replace(here, identity=HostIdentity()))
