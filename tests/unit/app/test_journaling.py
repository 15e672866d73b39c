"""When a record is on the disk: at once where its loss would hide a change, else with the next that is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import small

from memrunbook.app.journaling import HostJournal
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.record import Actor, Answered, Asked, Envelope, NotAnswered, Recorded
from memrunbook.core.run.request import Approval, AskApproval, Done, Execute, Lock, ReadFacts, Request, Wait, Waited
from memrunbook.state.run_directory import RunDirectory
from memrunbook.testing import FixedClock

NOW = small.snapshot().taken_at
CHANGE = Change(action="a", summary="A", target="t", script="s", risk=Risk.LOW, repeat=Repeat.ONCE)
STEP = PlannedStep(id="one", name="One", action="a", item="", decision="change", change=CHANGE)
READ, GATE = ReadFacts(("memory",), 2, 5.0, "after the gate"), AskApproval(STEP, NOW)


class Titled:
    name, digest = "lab", "d" * 64


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[HostJournal]:
    with RunDirectory.create(tmp_path, "20261129T120000Z-abcd", lambda: NOW) as directory:
        directory.run.append({"event": "invoked"})
        own = directory.host("web")
        yield HostJournal(directory, own, "web", Titled(), Actor("ada", "0"), FixedClock(), lambda _: None)


@pytest.fixture
def synced(journal: HostJournal, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of the host's journal each time that it was brought to the disk."""
    lengths: list[int] = []
    plain, own = os.fsync, journal.journal.path

    def fsync(file: int) -> None:
        plain(file)
        if os.fstat(file).st_ino == own.stat().st_ino:
            lengths.append(own.stat().st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    return lengths


@pytest.mark.parametrize(
    ("asked", "answered", "durable"),
    [
        (READ, Answered(small.snapshot()), (False, False)),
        (READ, NotAnswered("HostError", "gone"), (False, False)),
        (Wait(1.0, "settle"), Answered(Waited(NOW)), (False, False)),
        (GATE, Answered(Approval(NOW, "yes")), (False, True)),
        (Execute("one", CHANGE), Answered(Done(NOW)), (True, True)),
        (Lock(), Answered(Waited(NOW)), (True, True)),
    ],
)
def test_what_changes_nothing_waits_for_the_next_record_that_does(
    journal: HostJournal, synced: list[int], asked: Request, answered: Envelope, durable: tuple[bool, bool]
) -> None:
    for envelope, expected in zip((Asked(asked), answered), durable, strict=True):
        before = len(synced)
        journal.append(envelope)
        assert (len(synced) > before) is expected, envelope


def test_before_a_command_all_that_led_to_it_is_on_the_disk(journal: HostJournal, synced: list[int]) -> None:
    journal.append(Asked(READ))
    journal.append(Answered(small.snapshot()))
    assert not synced
    written = journal.journal.path.read_bytes()
    assert written.count(b"\n") == 2, "a crash of this process loses nothing"
    journal.append(Asked(Execute("one", CHANGE)))
    assert synced == [journal.journal.path.stat().st_size]


def test_the_end_is_on_the_disk(journal: HostJournal, synced: list[int]) -> None:
    journal.append(Asked(READ))
    journal.append(Answered(small.snapshot()))
    journal.append(Recorded(RunFinished("healthy")))
    assert synced == [journal.journal.path.stat().st_size]
