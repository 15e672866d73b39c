"""The history on a real PostgreSQL server: opening it waits for nobody, and what fails leaves nothing."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres import Postgres

from memrunbook.core.errors import JournalError
from memrunbook.state.history.book import ENTER
from memrunbook.state.history.tables import NEWEST
from memrunbook.state.store.database import address, connected
from memrunbook.state.store.history_server import HistoryServer


def test_one_whose_tables_are_up_to_date_is_opened_while_another_writes(tmp_path: Path, server: Postgres) -> None:
    where, opened = address(tmp_path, server.url), threading.Event()

    def open_too() -> None:
        with closing(HistoryServer.open(where)):
            opened.set()

    with closing(HistoryServer.open(where)) as first:
        other = threading.Thread(target=open_too)
        with first.writing():
            other.start()
            at_once = opened.wait(20.0)
        other.join()
    assert at_once


def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path, server: Postgres) -> None:
    where = address(tmp_path, server.url)
    with closing(HistoryServer.open(where)) as first, first.writing() as rows:
        rows.do("UPDATE history_version SET number = :number", [{"number": NEWEST + 1}])
    try:
        with pytest.raises(JournalError, match="of a newer version") as error:
            HistoryServer.open(where)
        assert error.value.hint == "update memrunbook here"
    finally:
        with closing(HistoryServer(connected(where))) as again, again.writing() as rows:
            assert rows.all("SELECT number FROM history_version") == [(NEWEST + 1,)], "nothing was made anew"
            rows.do("UPDATE history_version SET number = :number", [{"number": NEWEST}])


def twice(history: HistoryServer, values: dict[str, object]) -> None:
    with history.writing() as rows:
        rows.do(ENTER, [values])
        rows.do(ENTER, [values])


def test_what_fails_half_way_was_not_written(tmp_path: Path, server: Postgres) -> None:
    with closing(HistoryServer.open(address(tmp_path, server.url))) as history:
        values: dict[str, object] = {"id": 1, "owner": 1, "machine": "m", "name": "web1", "newest": 0, "folded": 0}
        with pytest.raises(JournalError):
            twice(history, values)
        with history.reading() as rows:
            assert rows.all("SELECT name FROM history_hosts") == []
