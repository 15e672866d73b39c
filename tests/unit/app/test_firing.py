"""One firing, on hosts that cannot be reached: what it ends in, and what is told of it."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from memrunbook.app.connectors import Connectors
from memrunbook.app.firing import FiringResult, Reaches, Surroundings, actor_of, carry_out
from memrunbook.app.firing_stop import SCHEDULER
from memrunbook.app.leaving import not_written
from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.host import Host
from memrunbook.core.schedule import Moment, Schedule
from memrunbook.documents.library import Library
from memrunbook.documents.schedules import ScheduledRun

JOB = ScheduledRun(
    schedule=Schedule(name="night", zone=dt.UTC, every=60.0), zone="UTC", where="s:1", runbook="memory-shortage",
    hosts=("web",),
)  # fmt: skip
MOMENT = Moment("night", 1.8e9, 1.8e9)
GONE = Host("web", refused="its inventory says so", hint="mend it")


def fire(folder: Path, job: ScheduledRun, reaches: Reaches, *, stopped: bool = False) -> FiringResult:
    stop = threading.Event()
    if stopped:
        stop.set()
    return carry_out(job, MOMENT, Surroundings(library=Library(), state=folder / "state", reaches=reaches, stop=stop))


@pytest.mark.parametrize("acts", [False, True])
def test_a_host_that_is_not_reached_is_told_by_its_name(tmp_path: Path, *, acts: bool) -> None:
    ended = fire(tmp_path, replace(JOB, acts=acts), lambda _: ((GONE,), Connectors()))
    assert ended.state == "failed"
    (told,) = ended.tell
    assert (told.occasion, told.host, told.schedule) == ("unreachable", "web", "night")
    assert "its inventory says so" in told.verdict
    assert (ended.why.count("web"), told.verdict.count("web")) == (1, 1), "its name once"
    assert [one for one in told.evidence if one.startswith("what helps: ")], "whether it plans or runs"
    assert bool(ended.run) == acts
    assert [(one.host, one.found, one.runbook, one.kills) for one in ended.sightings] == (
        [] if acts else [("web", "unreached", "memory-shortage", None)]
    )


def test_hosts_that_cannot_be_told_block_it(tmp_path: Path) -> None:
    def lost(_: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        raise UsageError("no host or group matches 'wbe'", hint="did you mean web?")

    ended = fire(tmp_path, JOB, lost)
    assert (ended.state, ended.why) == ("blocked", "no host or group matches 'wbe'")
    assert ended.tell[0].key == "schedule:night::failed"
    assert ended.tell[0].evidence == (
        "firing night@2027-01-15T08:00:00Z", "set in s:1", "what helps: did you mean web?",
    )  # fmt: skip


def test_a_defect_ends_the_firing_and_not_the_scheduler(tmp_path: Path) -> None:
    def breaks(_: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        raise RuntimeError("password=s3cret")

    ended = fire(tmp_path, JOB, breaks)
    assert ended.state == "failed"
    assert "RuntimeError" in ended.why
    assert "s3cret" not in ended.why + ended.tell[0].verdict


@pytest.mark.parametrize("acts", [False, True])
def test_one_that_is_stopped_is_interrupted(tmp_path: Path, *, acts: bool) -> None:
    host = Host("web", address="127.0.0.9")
    ended = fire(tmp_path, replace(JOB, acts=acts), lambda _: ((host,), Connectors()), stopped=True)
    assert ended.state == "interrupted"
    assert ended.sightings == ()


def test_the_schedule_is_who_does_it() -> None:
    assert actor_of(JOB).user == "schedule:night"
    assert actor_of(JOB).login_user == actor_of(JOB).sudo_user == ""


def test_a_run_whose_journal_failed_is_a_failure_and_says_how_to_go_on(tmp_path: Path) -> None:
    def full(_: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        raise not_written(JournalError("no space left", hint="free some"), "R1", ())

    ended = fire(tmp_path, JOB, full)
    assert (ended.state, ended.run) == ("failed", "R1")
    assert "then: runbook resume R1" in ended.why
    assert ended.tell[0].command == "runbook resume R1"

    def silent(_: ScheduledRun) -> tuple[tuple[Host, ...], Connectors]:
        raise JournalError("the store does not answer")

    assert fire(tmp_path, JOB, silent).state == "blocked", "nothing was begun"


@pytest.mark.parametrize("acts", [False, True])
def test_several_that_are_stopped_are_nobodys_failure(tmp_path: Path, *, acts: bool) -> None:
    hosts = tuple(Host(name, address="127.0.0.9") for name in ("web", "db"))
    ended = fire(tmp_path, replace(JOB, acts=acts, hosts=("web", "db")), lambda _: (hosts, Connectors()), stopped=True)
    assert ended.state == "interrupted"
    assert ended.why.startswith(SCHEDULER)
    assert ended.tell == ()
