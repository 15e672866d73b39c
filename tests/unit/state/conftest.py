"""A finished run, a clock that stands still, and the store and the history in both their places."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.core.instant import Instant
from memrunbook.core.run.record import Actor, Ended, EndedHost, Invoked, plain
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import address

Opened = Callable[[], Store]
RUN_ID = "20261122T094107Z-abcd"
NUMBERS = itertools.count()
NOW = Instant(1795340467.0, 5.0)
INVOKED = Invoked(
    time="2026-11-22T09:41:07.000Z",
    engine="0",
    actor=Actor("ada"),
    command="run small",
    reason="",
    runbook="small",
    runbook_digest="",
    origin="file",
    parameters={},
    hosts=("web-1", "web-2"),
)
ENDED = Ended(time="2026-11-22T09:42:00.000Z", hosts=(EndedHost("web-1", "resolved", "m1"),))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A real PostgreSQL server of the module's own."""
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@pytest.fixture
def database(server: Postgres, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own on the module's server."""
    name = f"test_{next(NUMBERS)}"
    engine = sa.create_engine(address(tmp_path, server.url), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield server.url.removesuffix("postgres") + name
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the store and the history are: nothing was written there yet. Each test that uses it is made twice."""
    return str(request.getfixturevalue("database")) if request.param == "server" else ""


@pytest.fixture
def opened(place: str, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same store each time."""
    stores: list[Store] = []

    def one() -> Store:
        stores.append(Store.open(tmp_path, place))
        return stores[-1]

    yield one
    for store in stores:
        store.close()


@pytest.fixture
def now() -> Callable[[], Instant]:
    return lambda: NOW


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def open_run(state: Path, now: Callable[[], Instant]) -> Iterator[RunDirectory]:
    with RunDirectory.create(state, RUN_ID, now) as directory:
        yield directory


@pytest.fixture
def finished(state: Path, open_run: RunDirectory) -> Path:
    """The directory of a run on two hosts, with evidence, that has ended."""
    open_run.run.append(plain(INVOKED))
    for host in ("web-1", "web-2"):
        open_run.host(host).append({"event": "asked", "host": host})
        open_run.host(host).append({"event": "answered", "host": host})
    open_run.save("web-1", "meminfo", "MemTotal: 5 kB\n")
    open_run.run.append(plain(ENDED))
    open_run.end()
    return open_run.path
