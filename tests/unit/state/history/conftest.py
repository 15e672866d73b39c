"""The same history as a file and on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.state.history.pasts import Time

from memrunbook.state.history.database import Database
from memrunbook.state.history.file import HistoryFile
from memrunbook.state.history.past import StoredPast


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["file", "server"])
def past(request: pytest.FixtureRequest, tmp_path: Path, time: Time) -> Iterator[StoredPast]:
    database: Database
    if request.param == "file":
        database = HistoryFile(tmp_path / "history.sqlite", time)
    else:
        from memrunbook.state.store.database import address
        from memrunbook.state.store.history_server import HistoryServer

        database = HistoryServer.open(address(tmp_path, request.getfixturevalue("server").url))
    yield StoredPast(database, time)
    if request.param == "server":
        with database.writing() as rows:
            for table in ("hosts", "series", "readings"):
                rows.do(f"DROP TABLE history_{table}", [{}])
            rows.do("DROP TABLE history_version", [{}])
    database.close()
