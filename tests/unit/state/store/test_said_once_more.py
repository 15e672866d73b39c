"""What was written, and whose answer was lost, is said once more and counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from tests.postgres import Postgres
from tests.tcp_cutter import Cutter, cutter
from tests.unit.state.conftest import Opened
from tests.unit.state.store.test_store import HERE, NOW, RESTART, at

from memrunbook.core.errors import JournalError, StoreAway
from memrunbook.core.plan.limits import Limits
from memrunbook.state.store.changes import Store
from memrunbook.state.store.switch import Switch, switch_of, turn
from memrunbook.state.store.tables import CHANGES, RUNS, SWITCHES

OFF = Switch(True, NOW, None, "ada", "a release")


def rows(store: Store, table: sa.Table) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def all_of(store: Store) -> list[Callable[[], object]]:
    """All that a run and a switch tell the store."""
    return [
        lambda: store.begin(RESTART, "restart", HERE, "ada", Limits(most_in_run=1)),
        lambda: store.end(1, "done", NOW + 5),
        lambda: store.ran(at(9), "resolved", changed=True),
        lambda: turn(store, OFF),
    ]


def known(store: Store) -> tuple[object, ...]:
    (change,), (run,) = store.history(RESTART, at(10)).changes, store.history(RESTART, at(10)).runs
    counted = tuple(rows(store, table) for table in (CHANGES, RUNS, SWITCHES))
    return (change.ended, change.state, run.outcome, switch_of(store), counted)


KNOWN = (NOW + 5, "done", "resolved", OFF, (1, 1, 1))


def test_each_is_known_once_however_often_it_is_said(opened: Opened) -> None:
    store = opened()
    for say in all_of(store):
        assert say() == say() == say()
    assert known(store) == KNOWN


def test_a_beginning_is_its_own_alone(opened: Opened) -> None:
    store = opened()
    numbers = {
        store.begin(RESTART, "restart", HERE, "ada"),
        store.begin(RESTART, "restart/2", HERE, "ada"),
        store.begin(RESTART, "restart", at(0.001), "ada"),
        store.begin(RESTART, "restart", at(0, run="R2"), "ada"),
        store.begin(msgspec.structs.replace(RESTART, target="db.service"), "restart", HERE, "ada"),
    }
    assert len(numbers) == 5
    store.end(1, "done", NOW)
    assert store.begin(RESTART, "restart", HERE, "ada") not in numbers, "what has ended is begun anew"


@pytest.fixture
def way(server: Postgres) -> Iterator[Cutter]:
    with cutter(server.port) as way:
        yield way


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again(
    way: Cutter, database: str, server: Postgres, tmp_path: Path
) -> None:
    """The server has the COMMIT and carries it out; the way ends before it can say so."""
    by_way = database.replace(f":{server.port}/", f":{way.port}/")
    with closing(Store.open(tmp_path, by_way)) as store:
        cutting: list[threading.Thread] = []

        def cut() -> None:
            committed(server, database, tmp_path)
            way.cut()

        def lose(_connection: sa.Connection) -> None:
            way.swallow = True
            cutting.append(threading.Thread(target=cut))
            cutting[-1].start()

        for say in all_of(store):
            sa.event.listen(store.engine, "commit", lose)
            with pytest.raises(StoreAway, match="the store does not answer"):
                say()
            cutting[-1].join()
            sa.event.remove(store.engine, "commit", lose)
            say()
        assert known(store) == KNOWN
    assert len(cutting) == 4


def committed(server: Postgres, database: str, folder: Path) -> None:
    """Waits until no session of the database is in a transaction any more."""
    name = database.rpartition("/")[2]
    busy = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND state LIKE '%transaction%'")
    with closing(Store.open(folder, server.url)) as watching, watching.engine.connect() as connection:
        while connection.scalar(busy, {"name": name}):
            connection.rollback()


def test_a_file_that_fails_after_it_has_written_is_told_and_counts_once(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path)) as store:

        @sa.event.listens_for(store.engine, "commit")
        def _fail(connection: sa.Connection) -> None:
            connection.exec_driver_sql("COMMIT")
            raise sa.exc.OperationalError("COMMIT", {}, OSError("the answer is lost"))

        with pytest.raises(JournalError, match="the answer is lost") as told:
            store.begin(RESTART, "restart", HERE, "ada")
        assert not isinstance(told.value, StoreAway), "nobody restarts a file"
        sa.event.remove(store.engine, "commit", _fail)
        assert store.begin(RESTART, "restart", HERE, "ada") == 1
        assert rows(store, CHANGES) == 1
