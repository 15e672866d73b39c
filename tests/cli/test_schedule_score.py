"""What schedules that only plan would have done, and what became of it: fired here, and out of a store of some days."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.books import act, book
from tests.cli.console import here, terminal
from tests.cli.test_json import valid
from tests.cli.test_schedule import entry, fired, schedules

from memrunbook.app.stored import Stored
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.limits import Here
from memrunbook.core.plan.shadows import HostFound, HostSighting, Shadow
from memrunbook.core.reading.series import Observation, Series
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history import FILE
from memrunbook.state.store import sightings
from memrunbook.state.store.changes import Store

HOUR = 3600.0
UNIT = "api.service"


class Days:
    """A hundred hours of firings in a store, one each hour."""

    def __init__(self, state: Path) -> None:
        state.mkdir(exist_ok=True, mode=0o700)
        self.state, self.now = state, SystemClock().now().utc
        self.store = Store.open(state)

    def at(self, ago: float) -> float:
        return self.now - ago * HOUR

    def fire(self, host: str, ago: int, found: HostFound, boot: str = "b", kills: int | None = 0) -> None:
        at, firing, machine = self.at(ago), f"leaks@{ago}-{host}", "" if found == "unreached" else f"m-{host}"
        one = HostSighting(schedule="leaks", host=host, runbook="memory-leak", found=found, firing=firing, since=at,
                       until=at, machine=machine, boot=boot, kills=kills)  # fmt: skip
        sightings.keep_sightings(self.store, [one])
        if found == "acts":
            shadow = Shadow(firing=firing, schedule="leaks", host=host, machine=machine, runbook="memory-leak", at=at,
                            step="restart", action="restart_unit", target=UNIT, summary=f"Restart {UNIT}", digest="d",
                            risk=2, asks=True)  # fmt: skip
            sightings.keep_shadows(self.store, [shadow])

    def case(self, host: str, *, boots: int = 0, killed: int = 0, lost: bool = False, holds: bool = False) -> None:
        """It would have acted 33 hours ago, and four hours later it was over, or is not."""
        for ago in range(100, 0, -1):
            sick = ago <= 33 and (holds or ago >= 30)
            gone = lost and ago < 30
            boot, kills = ("c" if ago < boots else "b"), int(ago < killed)
            found: HostFound = "unreached" if gone else "acts" if sick else "over"
            self.fire(host, ago, found, "" if gone else boot, None if gone else kills)

    def history(self, host: str, restarted: float = 0.0) -> None:
        lives = ((ago / 4, "r1" if ago / 4 > restarted else "r2") for ago in range(400, 0, -1))
        points = tuple(Observation(self.at(ago), 1e9, life) for ago, life in lives)
        Stored(self.state).past().keep(host, f"m-{host}", [Series("unit", UNIT, "units.own_bytes", points)])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with all of it, made once: each of its thousand firings is a commit."""
    state = tmp_path_factory.mktemp("days") / "state"
    made = Days(state)
    made.case("alone")
    made.case("by-hand")
    made.case("killed", killed=32)
    made.case("booted", boots=31)
    made.case("by-a-run")
    made.case("sick", holds=True)
    made.case("lost", lost=True)
    for ago in range(100, 0, -1):
        made.fire("db", ago, "over", kills=0 if ago > 50 else 1 if ago > 12 else 3)
    made.history("alone")
    made.history("by-hand", 29.6)
    made.history("by-a-run", 30.4)
    restart = Change(action="restart_unit", summary="Restart", target=UNIT, script=":", risk=Risk.MEDIUM,
                     repeat=Repeat.ONCE)  # fmt: skip
    where = Here(run="R7", host="by-a-run", runbook="memory-leak", now=made.at(30.45), machine="m-by-a-run")
    number = made.store.begin(restart, "restart", where, "ada")
    assert isinstance(number, int)
    made.store.end(number, "done", made.at(30.4))
    made.store.close()
    return state


@pytest.fixture
def days(kept: Path, state: Path) -> Path:
    """A copy of the test's own: some spoil it."""
    return Path(shutil.copytree(kept, state))


def asked(*words: str) -> dict[str, Any]:
    done = here("schedule", "score", *words, "--json")
    assert done.code == 0, done.said
    document: dict[str, Any] = json.loads(done.out)
    valid(document, "score")
    return document


@pytest.mark.usefixtures("machine")
def test_what_fires_here_is_scored(tmp_path: Path, state: Path) -> None:
    path = Path(book(tmp_path, act("add", "sh", "-c", f"echo once >> {tmp_path / 'done'}")))
    where = schedules(tmp_path, entry(str(path)))
    assert here("schedule", "score", where).code == 9
    assert "no firing of it is kept that looked at a host" in here("schedule", "score", where).out
    assert fired(state, where)["state"] == "waits"
    assert fired(state, where)["state"] == "waits"
    first = here("schedule", "score", "often", where).out
    assert first.startswith("often would have acted 1 time since "), first
    assert ": 1 still holds\n" in first
    assert "in 2 looks" in first
    path.write_text(path.read_text().replace("when: memory.total_bytes > 0", "when: memory.total_bytes < 0"))
    assert fired(state, where)["state"] == "done"
    (one,) = asked(where)["schedules"]
    assert (one["acted"], one["asks"], one["fates"], one["mode"]) == (1, 0, {"recovered": 1}, "plan")
    (case,) = one["cases"]
    assert (case["host"], case["runbook"], case["firings"]) == ("local", "small", 2)
    assert [step["action"] for step in case["steps"]] == ["run_command"]
    assert not (tmp_path / "done").exists()
    assert "recovered" not in here("schedule", "score", where, "--since", "1ms").out
    schedules(tmp_path, entry(str(path), ", mode: run"))
    by_now = "its mode is run by now; what it does: runbook schedule firings often --config-dir"
    assert by_now in here("schedule", "score", where).out


@pytest.mark.usefixtures("machine")
def test_while_changes_are_off_it_would_have_done_nothing(tmp_path: Path, state: Path) -> None:
    where = schedules(tmp_path, entry(book(tmp_path, act("add", "true", risk="medium"))))
    assert here("off").code == 0
    fired(state, where)
    assert here("schedule", "score", where).out.startswith("often would have acted 0 times since ")
    assert here("on").code == 0
    fired(state, where)
    page = here("schedule", "score", where).out
    assert ": 1 still holds\n" in page
    assert "1 of these would have waited for a person" in page


def test_each_kind_of_end(days: Path) -> None:
    (one,) = asked()["schedules"]
    assert {case["host"]: case["fate"] for case in one["cases"]} == {
        "alone": "recovered", "by-hand": "restarted by hand", "killed": "OOM kill", "booted": "rebooted",
        "by-a-run": "our run", "sick": "holds", "lost": "unknown",
    }  # fmt: skip
    assert (one["hosts"], one["acted"], one["asks"], one["listed"]) == (8, 7, 7, False)
    assert [(kills["host"], kills["count"]) for kills in one["came_without"]] == [("db", 1), ("db", 2)]
    page = here("schedule", "score").out
    assert page.startswith("leaks would have acted 7 times since ")
    assert (
        ": 1 recovered alone, 1 was restarted by hand, 1 was dealt with by a run, 1 ended with a reboot,"
        " 1 ended in an OOM kill, 1 still holds, of 1 nothing is known\n"
    ) in page
    assert "3 OOM kills came without it: db between " in page
    assert "run R7 did restart_unit:api.service at " in page
    assert f"{UNIT} began anew between " in page
    assert "it is not in schedules.yaml any more" in page


def test_eighty_columns_are_enough(days: Path) -> None:
    with terminal("schedule", "score", columns=80) as drawn:
        drawn.expect("leaks would have acted 7 times")
        assert drawn.wait() == 0
    assert max(len(line) for line in drawn.drawn.splitlines()) <= 80


def test_without_a_history_it_says_so_and_calls_nothing_a_recovery_alone(days: Path) -> None:
    (days / FILE).unlink()
    document = asked("leaks")
    assert "there is no history at" in str(document["notes"])
    (one,) = document["schedules"]
    assert one["fates"] == {"over": 2, "our run": 1, "OOM kill": 1, "rebooted": 1, "holds": 1, "unknown": 1}
    assert not (days / FILE).exists(), "who only looks makes none"


def test_a_history_that_was_set_aside_is_said_now_and_later(days: Path) -> None:
    for file in days.glob(f"{FILE}*"):
        file.unlink()
    (days / FILE).write_bytes(b"no database at all" * 99)
    first = here("schedule", "score")
    assert (first.code, "the history could not be read" in first.err) == (0, True)
    assert "recovered alone" not in first.out
    assert "a damaged history was set aside as " in here("schedule", "score").out
    (days / FILE).unlink()
    (days / FILE).mkdir()
    assert "the history was not read" in here("schedule", "score").out


def test_a_history_of_a_newer_version_is_left_alone_and_said(days: Path) -> None:
    with closing(sqlite3.connect(days / FILE)) as connection:
        connection.execute("PRAGMA user_version=99")
    assert "of a newer version of memrunbook" in here("schedule", "score").out


def test_what_is_not_there_is_said(days: Path) -> None:
    here("schedule", "score", "leakz").refused(2, "no schedule is called 'leakz'", hint="did you mean leaks?")
    here("schedule", "score", "--since", "soon").refused(2, "is no time")
    assert "is kept for 90 d: of the time before nothing is known" in here("schedule", "score", "--since", "200d").out


def test_nothing_was_ever_scheduled(state: Path) -> None:
    done = here("schedule", "score")
    assert (done.code, done.out.splitlines()[0]) == (9, "UNKNOWN: no schedule only plans, and no firing of one is kept")
    assert json.loads(here("schedule", "score", "--json").out)["schedules"] == []
    assert not state.exists()
