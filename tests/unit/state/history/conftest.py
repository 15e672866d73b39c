"""The same history as a file and on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.state.history.pasts import Time

from memrunbook.state.history.database import Database
from memrunbook.state.history.file import HistoryFile
from memrunbook.state.history.past import StoredPast
from memrunbook.state.store.database import address
from memrunbook.state.store.history_server import HistoryServer


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def past(place: str, tmp_path: Path, time: Time) -> Iterator[StoredPast]:
    database: Database = (
        HistoryServer.open(address(tmp_path, place)) if place else HistoryFile(tmp_path / "history.sqlite", time)
    )
    yield StoredPast(database, time)
    database.close()
