"""A state directory with a finished run, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.core.instant import Instant
from memrunbook.core.run.record import Actor, Ended, EndedHost, Invoked, plain
from memrunbook.state.run_directory import RunDirectory

RUN_ID = "20261122T094107Z-abcd"
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
