"""One pool of connections a server: who opens the store again shares it, and the last one closes it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from memrunbook.core.errors import JournalError, StoreAway
from memrunbook.state.store import engines
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import address
from memrunbook.state.store.engines import FEW, MORE
from memrunbook.state.store.history_server import HistoryServer
from memrunbook.state.store.switch import switch_of


def sessions(database: str, tmp_path: Path) -> int:
    """How many connections the server has to this database, beside the one that asks."""
    engine = sa.create_engine(address(tmp_path, database))
    try:
        with engine.connect() as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(connection.scalar(sa.text(query)) or 0)
    finally:
        engine.dispose()


def test_a_hundred_that_open_the_store_at_once_share_a_few_connections(database: str, tmp_path: Path) -> None:
    with_one = Store.open(tmp_path, database)
    stores: list[Store] = []

    def ask() -> None:
        stores.append(Store.open(tmp_path, database))
        assert not switch_of(stores[-1]).off

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 100
    assert sessions(database, tmp_path) <= FEW + MORE
    for store in stores:
        store.close()
    assert not switch_of(with_one).off, "it is open still"
    with_one.close()
    assert sessions(database, tmp_path) == 0


def test_the_history_on_the_same_server_shares_them(database: str, tmp_path: Path) -> None:
    store, history = Store.open(tmp_path, database), HistoryServer.open(address(tmp_path, database))
    assert store.engine is history.engine
    store.close()
    assert history.name
    history.close()
    assert sessions(database, tmp_path) == 0


def test_a_server_that_lets_nobody_in_is_not_kept(database: str, tmp_path: Path) -> None:
    nobody = database.replace("//postgres@", "//nobody@")
    for _ in range(2):
        with pytest.raises(JournalError):
            Store.open(tmp_path, nobody)
    store = Store.open(tmp_path, database)
    assert sessions(database, tmp_path) == 1
    store.close()


def test_a_file_has_an_engine_for_each(tmp_path: Path) -> None:
    first, second = Store.open(tmp_path), Store.open(tmp_path)
    assert first.engine is not second.engine
    first.close()
    second.close()


def end_sessions(database: str, tmp_path: Path) -> None:
    """The server ends all connections to this database but the one that asks."""
    engine = sa.create_engine(address(tmp_path, database))
    there = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {there}"))
    engine.dispose()


def test_a_connection_that_rested_is_asked_first_and_one_that_ended_meanwhile_hurts_nobody(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED", 0.0)
    store = Store.open(tmp_path, database)
    end_sessions(database, tmp_path)
    assert not switch_of(store).off
    store.close()


def test_a_connection_in_constant_use_that_ends_is_told_once_and_then_there_is_a_new_one(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED", 3600.0)
    store = Store.open(tmp_path, database)
    assert not switch_of(store).off
    end_sessions(database, tmp_path)
    with pytest.raises(StoreAway):
        switch_of(store)
    assert not switch_of(store).off
    store.close()
