"""What a real PostgreSQL server says when it goes, is not there, or lets nobody in."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres

from memrunbook.core.errors import JournalError, StoreAway
from memrunbook.state.store import database
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained
from memrunbook.state.store.switch import switch_of

OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"


def told(store: Store, *statements: str) -> JournalError:
    """What becomes of the last of these statements, of one connection."""
    *before, last = statements
    with store.engine.connect() as connection:
        for statement in before:
            connection.execute(sa.text(statement))
        with pytest.raises(JournalError) as error, explained(store.name):
            connection.execute(sa.text(last))
    return error.value


def test_a_session_that_is_ended_is_asked_anew(database: str, tmp_path: Path) -> None:
    with closing(Store.open(tmp_path, database)) as store, closing(Store.open(tmp_path, database)) as other:
        assert not switch_of(store).off
        with other.engine.begin() as connection:
            connection.execute(sa.text(OTHERS))
        assert not switch_of(store).off, "the pool looks before it hands a connection out"
        with store.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            with other.engine.begin() as ending:
                ending.execute(sa.text(OTHERS))
            with pytest.raises(StoreAway, match="terminating connection"), explained(store.name):
                connection.execute(sa.text("SELECT 1"))
        assert not switch_of(store).off


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (("SET statement_timeout = 50", "SELECT pg_sleep(20)"), "statement timeout"),
        (("SET TRANSACTION READ ONLY", "CREATE TABLE x (a int)"), "read-only"),
    ],
)
def test_what_passes_may_be_asked_again(database: str, tmp_path: Path, statements: tuple[str, ...], words: str) -> None:
    with closing(Store.open(tmp_path, database)) as store:
        error = told(store, *statements)
    assert isinstance(error, StoreAway)
    assert words in error.message
    assert "see that the server runs" in error.hint


def test_a_server_that_is_not_there_may_come_back(server: Postgres, tmp_path: Path) -> None:
    with closing(Store.open(tmp_path, server.url)) as store:
        server.stop()
        try:
            for _ in range(2):
                with pytest.raises(StoreAway, match="the store does not answer"):
                    switch_of(store)
        finally:
            server.start()
        assert not switch_of(store).off


def test_one_that_hangs_is_left(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel takes what is sent, and nobody reads it: neither its own timeouts nor those of TCP end that."""
    monkeypatch.setattr(database, "PATIENCE", 2.0)
    with closing(Store.open(tmp_path, server.url)) as store:
        with store.engine.connect() as connection:
            session = int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)
        whole = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        stopped: list[int] = []
        try:
            for pid in (session, whole):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
            with pytest.raises(StoreAway, match="the store does not answer"):
                switch_of(store)
            os.kill(whole, signal.SIGCONT)
            assert not switch_of(store).off, "another session answers"
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_one_that_nobody_listens_for_may_come_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StoreAway, match="the store does not answer"):
        Store.open(tmp_path, f"postgresql://ada@127.0.0.1:{port}/x")


def test_who_is_not_let_in_is_told_so_and_waits_for_nothing(server: Postgres, database: str, tmp_path: Path) -> None:
    entries = server.folder / "data" / "pg_hba.conf"
    before = entries.read_text()
    with closing(Store.open(tmp_path, server.url)) as store, store.engine.connect() as connection:
        connection.execute(sa.text("CREATE ROLE ada LOGIN PASSWORD 'right'"))
        connection.commit()
        try:
            entries.write_text("host all ada 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n")
            connection.execute(sa.text("SELECT pg_reload_conf()"))
            at, name = f"127.0.0.1:{server.port}", database.rpartition("/")[2]
            urls = [
                f"postgresql://ada:wrong@{at}/{name}",
                f"postgresql://ada@{at}/{name}",
                f"postgresql://bob@{at}/{name}",
                f"postgresql://postgres@{at}/nosuch",
            ]
            for url in urls:
                with pytest.raises(JournalError, match="the store lets nobody in") as error:
                    Store.open(tmp_path, url)
                assert not isinstance(error.value, StoreAway), url
                assert "waiting does not help" in error.value.hint
                assert "wrong" not in str(error.value)
        finally:
            entries.write_text(before)
            connection.execute(sa.text("SELECT pg_reload_conf()"))
            connection.execute(sa.text("DROP ROLE ada"))
            connection.commit()


def test_what_was_asked_wrongly_is_no_matter_of_time(database: str, tmp_path: Path) -> None:
    with closing(Store.open(tmp_path, database)) as store:
        error = told(store, "DROP TABLE switches", "SELECT * FROM switches")
    assert "the store cannot be used" in error.message
    assert not isinstance(error, StoreAway)
    assert "mv" not in error.hint, "a server is no file"
