"""The same tests for the file and for a real PostgreSQL server."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import structs
from tests.postgres import Postgres
from tests.unit.state.conftest import Opened

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.action.policy import Care
from memrunbook.core.errors import JournalError, Refused, UsageError
from memrunbook.core.plan.limits import Here, History, Limits, PastChange
from memrunbook.core.units import DAY, HOUR
from memrunbook.runtime.brakes import NOT_BEGUN
from memrunbook.state.store import FILE, database
from memrunbook.state.store.changes import BEGINS, Store
from memrunbook.state.store.database import address, shown_url, writing
from memrunbook.state.store.node_tables import ORDERS
from memrunbook.state.store.switch import Switch, switch_of, turn
from memrunbook.state.store.tables import METADATA, RUNS

NOW = 1.8e9
HERE = Here(run="R1", host="web-1", runbook="memory-leak", now=NOW)
RESTART = Change(
    action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM, repeat=Repeat.ONCE
)
FIRST = {"changes", "runs", "switches"}
"""The tables of the first version."""


def at(seconds: float, host: str = "web-1", run: str = "R1") -> Here:
    return Here(run=run, host=host, runbook="memory-leak", now=NOW + seconds)


def test_what_was_begun_and_ended_is_remembered_in_order(opened: Opened) -> None:
    first = opened().begin(RESTART, "restart", HERE, "ada@ops")
    assert isinstance(first, int)
    store = opened()
    assert store.history(RESTART, at(1)).changes[0].ended is None
    store.end(first, "done", NOW + 5)
    store.begin(RESTART, "restart", at(10), "ada@ops")
    known = PastChange(
        run="R1",
        host="web-1",
        action="restart_unit",
        target="api.service",
        risk=2,
        begun=NOW,
        ended=NOW + 5,
        state="done",
        actor="ada@ops",
    )
    changes = opened().history(RESTART, at(11)).changes
    assert changes[0] == known
    assert (len(changes), changes[1].begun) == (2, NOW + 10)


def test_what_is_too_old_or_on_another_host_is_not_asked_for(opened: Opened) -> None:
    store = opened()
    store.begin(RESTART, "restart", at(-8 * DAY), "ada")
    store.begin(RESTART, "restart", at(-2 * HOUR, "web-2"), "ada")
    store.ran(at(-8 * DAY), "failed", changed=True)
    store.ran(at(-1.0, "web-2"), "failed", changed=True)
    store.ran(at(-1.0), "failed", changed=True)
    history = store.history(RESTART, HERE)
    assert (history.changes, [(one.host, one.outcome, one.changed) for one in history.runs]) == (
        (), [("web-1", "failed", True)],
    )  # fmt: skip


def test_one_host_at_a_time_also_where_all_begin_at_once(opened: Opened) -> None:
    stores = [opened() for _ in range(6)]
    begun: list[int | PastChange] = []

    def one(number: int) -> None:
        begun.append(stores[number].begin(RESTART, "restart", at(0, f"web-{number}"), "ada"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == len(stores)
    assert sum(isinstance(answer, int) for answer in begun) == 1


def test_a_turn_lasts_until_it_is_ended_and_what_was_not_begun_is_forgotten(opened: Opened) -> None:
    here, there = opened(), opened()
    first = here.begin(RESTART, "restart", at(0, "web-1", "A"), "ada")
    assert isinstance(first, int)
    busy = there.begin(RESTART, "restart", at(300, "web-2", "B"), "bob")
    assert isinstance(busy, PastChange)
    assert (busy.host, busy.run) == ("web-1", "A")
    here.end(first, NOT_BEGUN, NOW + 301)
    second = there.begin(RESTART, "restart", at(302, "web-2", "B"), "bob")
    assert isinstance(second, int)
    assert [one.host for one in here.history(RESTART, at(303, "web-3", "C")).changes] == ["web-2"]


def test_a_run_that_goes_on_after_a_crash_ends_what_it_had_begun(opened: Opened) -> None:
    here, there = opened(), opened()
    here.begin(RESTART, "restart", at(0, "web-1", "A"), "ada")
    opened().ran(at(60, "web-1", "A"), "failed", changed=True)
    assert isinstance(there.begin(RESTART, "restart", at(61, "web-2", "B"), "bob"), int)
    assert there.history(RESTART, at(62, "web-2", "B")).changes[0].state == "failed"


def test_a_peer_is_left_alone_while_another_is_disturbed_for_something_else(opened: Opened) -> None:
    here, there = opened(), opened()
    other = msgspec.structs.replace(RESTART, target="db.service")
    number = here.begin(other, "restart", at(0, "web-1", "A"), "ada")
    assert isinstance(number, int)
    cared = msgspec.structs.replace(RESTART, care=Care(peers=("web-*",)))
    busy = there.begin(cared, "restart", at(1, "web-2", "B"), "bob")
    assert isinstance(busy, PastChange)
    assert busy.target == "db.service"
    here.end(number, "done", NOW + 2)
    assert isinstance(there.begin(cared, "restart", at(3, "web-2", "B"), "bob"), int)


def test_a_peer_that_names_nobody_waits_for_who_names_it(opened: Opened) -> None:
    here, there = opened(), opened()
    other = msgspec.structs.replace(RESTART, target="db.service", care=Care(peers=("cache-*",)))
    first = at(0, "web-1", "A")
    number = here.begin(other, "restart", msgspec.structs.replace(first, peers=("web-2",)), "ada@ops")
    assert isinstance(number, int)
    for name in ("web-2", "cache-1"):
        busy = there.begin(RESTART, "restart", at(1, name, "B"), "bob@ops")
        assert isinstance(busy, PastChange)
        assert (busy.host, busy.actor, busy.peers) == ("web-1", "ada@ops", ("web-2", "cache-*"))
    here.end(number, "done", NOW + 2)
    assert isinstance(there.begin(RESTART, "restart", at(3, "web-2", "B"), "bob@ops"), int)


def test_a_store_of_the_first_version_is_brought_up_to_date_with_what_it_knows(opened: Opened) -> None:
    first = opened()
    first.begin(RESTART, "restart", HERE, "ada")
    with first.engine.begin() as connection:
        for table in METADATA.tables.keys() - FIRST:
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("ALTER TABLE changes DROP COLUMN peers"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'changes'"))
    known = opened().history(RESTART, at(1)).changes
    assert [(one.host, one.peers) for one in known] == [("web-1", ())]


def test_two_control_nodes_on_one_store_stop_a_storm_together(opened: Opened) -> None:
    """Each has three hosts that all want the same at once: three of the six have it, then a person is asked."""
    done: list[str] = []
    refused: list[str] = []

    def control_node(name: str, store: Store) -> None:
        for number in (1, 2, 3):
            here = at(0, f"{name}-{number}", name)
            try:
                while isinstance(begun := store.begin(RESTART, "restart", here, name, Limits()), PastChange):
                    time.sleep(0.01)
            except Refused as error:
                refused.append(str(error))
            else:
                done.append(here.host)
                store.end(begun, "done", NOW + 1)

    stores = {name: opened() for name in ("a", "b")}
    threads = [threading.Thread(target=control_node, args=one) for one in stores.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (3, 3)
    assert all("3 other hosts had the same change" in why and "a bad deploy or a bad rule" in why for why in refused)


def test_the_newest_turn_of_the_switch_counts_until_its_time_is_over(opened: Opened) -> None:
    store = opened()
    assert switch_of(store) == Switch()
    turn(store, Switch(True, NOW, NOW + 60, "ada", "a release"))
    said = switch_of(opened())
    assert (said.holds(NOW + 59), said.holds(NOW + 60), said.reason) == (True, False, "a release")
    turn(store, Switch(False, NOW + 5, None, "ada", ""))
    assert not switch_of(store).holds(NOW + 6)
    turn(store, Switch(True, NOW, None, "ada", ""))
    assert switch_of(store).holds(NOW + 9 * DAY)


def test_the_tables_are_those_of_the_migrations(opened: Opened) -> None:
    found = sa.inspect(opened().engine)
    assert ORDERS.name in METADATA.tables
    assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version"}
    for name, table in METADATA.tables.items():
        said = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert said == {column.name: column.nullable for column in table.columns}
        assert {one["name"] for one in found.get_indexes(name)} == {index.name for index in table.indexes}


def test_tables_that_were_made_just_now_are_the_newest(tmp_path: Path) -> None:
    """Else each command would migrate them anew."""
    Store.open(tmp_path).close()
    assert database.version_of(address(tmp_path)) == ""


def test_a_store_of_a_newer_version_is_refused(opened: Opened) -> None:
    store = opened()
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(JournalError, match=r"newer version of memrunbook \(its tables stand at later\)"):
        opened()


def test_a_server_that_goes_away_is_told_and_comes_back(server: Postgres, tmp_path: Path) -> None:
    store = Store.open(tmp_path, server.url)
    try:
        server.stop()
        with pytest.raises(JournalError, match="the store does not answer") as told:
            store.begin(RESTART, "restart", at(0, "web-9", "R9"), "ada")
        assert "nothing is changed" in told.value.hint
        with pytest.raises(JournalError):
            Store.open(tmp_path, server.url)
        server.start()
        assert isinstance(store.begin(RESTART, "restart", at(0, "web-9", "R9"), "ada"), int)
    finally:
        store.close()


def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(JournalError, match="cannot be used") as told:
        Store.open(tmp_path)
    assert "move it aside" in told.value.hint


def test_a_state_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read or written") as told:
        Store.open(tmp_path / "missing")
    assert "--state-dir" in told.value.hint


@pytest.mark.parametrize("url", ["mysql://x/y", "redis://x", "postgres", "sqlite:///x"])
def test_another_kind_of_store_is_no_store(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="is no store"):
        address(tmp_path, url)


def test_a_folder_is_no_store_and_a_port_is_a_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a folder") as told:
        address(tmp_path, str(tmp_path))
    assert str(tmp_path / FILE) in told.value.hint
    with pytest.raises(UsageError, match="cannot be read as a URL"):
        address(tmp_path, "postgresql://ada@db:many/x")


def test_a_password_from_a_file_is_used_and_shown_nowhere(tmp_path: Path) -> None:
    url = address(tmp_path, "postgresql://ada@db/x", "s3/cr@et")
    assert url.password == "s3/cr@et"
    assert shown_url(url) == "postgresql://ada@db/x"
    with pytest.raises(UsageError) as told:
        address(Path("/x"), "mysql://ada:s3cret@db/x")
    assert "s3cret" not in str(told.value)


def test_a_file_elsewhere_is_a_store_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state", str(tmp_path / "shared.sqlite"))
    try:
        assert store.name == str(tmp_path / "shared.sqlite")
        assert isinstance(store.begin(RESTART, "restart", HERE, "ada"), int)
    finally:
        store.close()


def test_a_machine_is_found_by_another_name(opened: Opened) -> None:
    store = opened()
    there = msgspec.structs.replace(HERE, machine="m1")
    alone = msgspec.structs.replace(RESTART, target="alone.service")
    begun = store.begin(alone, "restart", there, "ada")
    assert isinstance(begun, int)
    store.end(begun, "done", NOW)
    store.ran(there, "failed", changed=True)
    alias = msgspec.structs.replace(there, host="10.0.0.5", run="R2", now=NOW + 2 * HOUR)
    found = store.history(alone, alias)
    assert [(one.host, one.machine) for one in found.changes] == [("web-1", "m1")]
    assert [one.outcome for one in found.runs] == ["failed"]
    assert store.history(alone, msgspec.structs.replace(alias, machine="m2")) == History()


def test_many_hosts_at_once_all_begin_and_end(opened: Opened) -> None:
    store, faults = opened(), list[Exception]()

    def host(number: int) -> None:
        here = at(0, f"web-{number}", f"R{number}")
        target = msgspec.structs.replace(RESTART, target=f"{number}.service")
        try:
            for _ in range(5):
                begun = store.begin(target, "restart", here, "ada")
                store.history(target, here)
                assert isinstance(begun, int)
                store.end(begun, "done", NOW + 1)
        except Exception as error:  # noqa: BLE001  of any thread
            faults.append(error)

    threads = [threading.Thread(target=host, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_who_reads_waits_for_no_writer(opened: Opened) -> None:
    store, other = opened(), opened()
    with writing(other.engine) as connection:
        connection.execute(
            sa.insert(RUNS), {"run": "R1", "host": "x", "runbook": "y", "outcome": "z", "at": NOW, "changed": True}
        )
        assert store.history(RESTART, HERE).runs == ()
        assert not switch_of(store).off


def test_engines_that_meet_an_empty_store_make_its_tables_once(opened: Opened) -> None:
    faults: list[Exception] = []

    def engine() -> None:
        try:
            opened().history(RESTART, HERE)
        except Exception as error:  # noqa: BLE001  of any thread
            faults.append(error)

    threads = [threading.Thread(target=engine) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_frozen_engine_holds_up_nobody_for_long(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 1.0)
    frozen, other = Store.open(tmp_path, server.url), Store.open(tmp_path, server.url)
    try:
        with suppress(sa.exc.DBAPIError), writing(frozen.engine) as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(BEGINS, 0))))
            with pytest.raises(JournalError, match=r"the store (does not answer|cannot be used)"):
                other.begin(RESTART, "restart", HERE, "ada")
            time.sleep(1.5)
            assert isinstance(other.begin(RESTART, "restart", HERE, "ada"), int), "the frozen one was given up"
    finally:
        for store in (frozen, other):
            store.close()


def test_what_runs_of_any_node_have_resolved_is_known_by_runbook_and_machine(opened: Opened) -> None:
    store = opened()
    for seconds, outcome, machine in (
        (1, "resolved", "m1"),
        (9, "resolved", "m1"),
        (5, "failed", "m1"),
        (3, "resolved", ""),
    ):
        here = structs.replace(at(seconds, run=f"R{seconds}"), machine=machine)
        store.ran(here, outcome, changed=True)
    assert opened().resolved(NOW) == [("memory-leak", "web-1", "m1", NOW + 9)]
    assert store.resolved(NOW + 9) == []
