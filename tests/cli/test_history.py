"""runbook history, and what diagnose, plan and run leave for it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.books import book, look
from tests.cli.console import here
from tests.cli.test_json import valid

from memrunbook.app.stored import Stored
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.limits import Here
from memrunbook.core.reading.series import Observation, Series
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history import FILE
from memrunbook.state.history.past import StoredPast
from memrunbook.state.store import firings
from memrunbook.state.store.changes import Store

GIB = float(1 << 30)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def known(state: Path) -> None:
    """Two weeks of two hosts, one of them with little room and a service that was restarted."""
    now = SystemClock().now().utc
    past = Stored(state).past()
    for host, left in (("db", 3.0), ("web", 40.0)):
        hours = range(14 * 24, 0, -1)
        free = tuple(Observation(now - hour * 3600, left * GIB, "b", 64 * GIB) for hour in hours)
        own = tuple(Observation(now - hour * 3600, 4 * GIB, "r1" if hour > 99 else "r2", 8 * GIB) for hour in hours)
        series = [Series("host", "", "memory.available_bytes", free)]
        past.keep(host, f"m-{host}", [*series, Series("unit", "=api.service", "units.own_bytes", own)])


def test_each_of_the_three_leaves_points_and_can_be_told_not_to(tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, look("look", "uptime"))
    for words in (("diagnose", "--quick"), ("plan", str(path)), ("run", str(path), "--yes")):
        here(*words, "--host", "local", "--no-history")
        assert not (state / FILE).exists()
        here(*words, "--host", "local")
        assert json.loads(here("history", "--host", "local", "--json").out)["hosts"][0]["outcome"] == "known"
        for file in state.glob("history.*"):
            file.unlink()


def test_nothing_is_known_yet() -> None:
    done = here("history", "--host", "db")
    assert done.code == 9
    assert done.out.startswith("UNKNOWN: nothing is known of db yet")
    assert "runbook diagnose --host db" in done.out
    assert "runbook diagnose --host HOST" in here("history").out


@pytest.mark.usefixtures("known")
def test_one_host() -> None:
    done = here("history", "--host", "db")
    assert done.code == 0
    assert done.out.startswith("WARNING: db has 5 % of its RAM left when it is busy; 20 to 30 % should be left")
    assert "RAM used" in done.out
    assert "=api.service" in done.out
    assert here("history", "--host", "web").out.startswith("OK: web has 62 % of its RAM left")


@pytest.mark.usefixtures("known")
def test_several_hosts_the_worst_first_and_those_of_which_nothing_is_known() -> None:
    done = here("history", "--host", "web,db,gone")
    assert done.code == 9
    assert done.out.startswith("WARNING: 1 of 2 hosts with less than 20 % of RAM left when busy: db")
    assert done.out.index("\n  db ") < done.out.index("\n  web ")
    assert "Nothing is known of 1 host: gone" in done.out
    assert here("history").code == 0


@pytest.mark.usefixtures("known")
def test_a_figure_over_time() -> None:
    done = here("history", "--host", "db", "units.own_bytes", "--unit", "=api")
    assert "units.own_bytes of =api.service on db: now 4.0 GiB" in done.out
    assert "limit 8.0 GiB" in done.out
    assert "^ seen in a new run: 1 time" in done.out
    assert all(len(line) <= 120 for line in done.out.splitlines()[1:])


@pytest.mark.usefixtures("known")
def test_for_programs() -> None:
    document = json.loads(here("history", "--host", "db", "memory.used_bytes", "--json").out)
    (series,) = document["hosts"][0]["series"]
    assert (series["count"], len(series["points"]), series["peak"]) == (335, 335, 61 * GIB)
    assert document["hosts"][0]["left_percent"] == pytest.approx(4.7, abs=0.1)
    assert json.loads(here("history", "--host", "db", "--json").out)["hosts"][0]["series"][0]["points"] == []
    rows = list(csv.reader(io.StringIO(here("history", "--host", "db", "--csv", "--unit", "=api").out)))
    assert rows[0] == ["host", "kind", "name", "figure", "time", "value", "life", "limit"]
    assert rows[1][:4] == ["db", "unit", "'=api.service", "units.own_bytes"]  # no spreadsheet runs it
    assert (rows[1][5], rows[1][7]) == (str(4 << 30), str(8 << 30))


@pytest.mark.usefixtures("known")
def test_what_is_not_there_is_refused_with_what_is() -> None:
    done = here("history", "--host", "db", "swapp")
    assert done.code == 2
    assert "no figure 'swapp' is kept" in done.err
    unseen = here("history", "--host", "db", "cgroups.own_bytes", "--unit", "postgresql")
    assert unseen.code == 2
    assert "nothing is known of 'cgroups.own_bytes': no container of db is known" in unseen.err
    assert here("history", "--csv", "--json").code == 2
    assert here("history", "--since", "soon").code == 2


@pytest.mark.usefixtures("known")
def test_a_broken_history_is_set_aside_and_said(state: Path) -> None:
    (state / FILE).write_bytes(b"broken" * 999)
    done = here("history", "--host", "db")
    assert done.code == 9
    assert "begins anew" in done.err
    assert list(state.glob(f"{FILE}.aside-*Z"))


def test_a_history_of_a_newer_version_stops_no_diagnosis(state: Path) -> None:
    here("diagnose", "--quick", "--host", "local")
    with closing(sqlite3.connect(state / FILE)) as connection:
        connection.execute("PRAGMA user_version=99")
    done, without = (here("diagnose", "--quick", "--host", "local", *words) for words in ((), ("--no-history",)))
    assert done.code == without.code
    assert "newer version" in done.err
    assert "newer version" not in without.err


def test_how_often_a_unit_was_restarted_by_whom_and_how_long_that_helped(state: Path) -> None:
    state.mkdir()
    now = SystemClock().now().utc
    change = Change(
        action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM, repeat=Repeat.ONCE
    )
    with closing(Store.open(state)) as store:
        for hours in (30, 6):
            here_then = Here(run=f"R{hours}", host="db", runbook="memory-leak", now=now - hours * 3600)
            number = store.begin(change, "restart", here_then, "ada@ops")
            assert isinstance(number, int)
            store.end(number, "done", here_then.now + 5)
    done = here("runs", "--unit", "api")
    assert done.out.startswith("api was changed 2 times by runs, on 1 host; each helped about 24 h")
    assert "ada@ops" in done.out
    assert "helped 6 h and still does" in done.out
    document = json.loads(here("runs", "--unit", "api", "--json").out)
    valid(document, "restarts")
    assert [one["until"] for one in document["restarts"]] == ["changed again", "still"]
    assert here("runs", "--unit", "other").out.startswith("No run has changed other yet")


def test_the_store_that_is_named_is_the_history_of_all_that_it_leads_to(tmp_path: Path, state: Path) -> None:
    conf, shared = tmp_path / "conf", tmp_path / "shared"
    (conf / "runbooks").mkdir(parents=True)
    book(conf / "runbooks", look("look", "uptime"), name="always")
    config = "defaults: {inventory: inventory}\nalerts: [{alertname: Always, runbook: always}]\n"
    (conf / "config.yaml").write_text(config, "utf-8")
    (conf / "inventory").write_text("local ansible_connection=local\n", "utf-8")
    entry = "{name: often, every: 5s, jitter: 0s, catch_up: last, runbook: always, hosts: local}"
    (conf / "schedules.yaml").write_text(f"schedules: [{entry}]\n", "utf-8")
    labels = {"alertname": "Always", "instance": "local:9100"}
    posted = {"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": labels, "startsAt": "x"}]}

    def kept(*words: str, stdin: bytes = b"") -> tuple[bool, bool]:
        done = here(*words, f"--config-dir={conf}", f"--store={shared / 'store.sqlite'}", stdin=stdin)
        there = (shared / FILE).exists(), (state / FILE).exists()
        for folder in (shared, state):
            for file in folder.glob("history.*"):
                file.unlink()
        assert done.code in {0, 8, 9}, done.said
        return there

    shared.mkdir()
    state.mkdir(mode=0o700)
    assert kept("alert", stdin=json.dumps(posted).encode()) == (True, False)
    assert kept("run", "always", "--dry-run", "--host=local") == (True, False)
    assert kept("plan", "always", "--host=local") == (True, False)
    assert kept("diagnose", "--quick", "--host=local") == (True, False)
    assert kept("facts", "memory", "--samples=1", "--host=local") == (False, False), "it reads, and keeps nothing"
    with closing(Store.open(state, str(shared / "store.sqlite"))) as store:
        firings.decide_until(store, ["often"], SystemClock().now().utc - 20)
    assert kept("schedule", "run", "--once") == (True, False)


def test_each_command_lets_go_of_the_history_that_it_opened(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = str(book(tmp_path, look("look", "uptime"), name="always")), SystemClock().now().utc
    Stored(state).past().keep("x", "m", [Series("host", "", "memory.available_bytes", (Observation(now, 1.0, "b"),))])
    opened: list[StoredPast] = []
    closed: list[StoredPast] = []
    past, close = Stored.past, StoredPast.close

    def counted(self: Stored, *told: Callable[[str, str], object]) -> StoredPast:
        opened.append(past(self, *told))
        return opened[-1]

    def let_go(self: StoredPast) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(Stored, "past", counted)
    monkeypatch.setattr(StoredPast, "close", let_go)
    for words in (("diagnose", "--quick"), ("plan", path), ("run", path, "--yes"), ("facts", "units")):
        here(*words, "--host", "local", *(() if words[0] == "facts" else ("--no-history",)))
        assert len(opened) == 1, words
        assert [id(one) for one in closed] == [id(one) for one in opened], words
        opened.clear()
        closed.clear()


def test_facts_tell_who_leaks_from_the_history_that_is_named(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    (mine / FILE).write_bytes(b"no history")
    here("facts", "--host", "local", "--state-dir", str(mine), "memory.leaking")
    assert list(mine.glob(f"{FILE}.aside-*"))
