"""The history on a real PostgreSQL server: opening it waits for nobody who writes."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from tests.postgres import Postgres

from memrunbook.state.store.database import address
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
