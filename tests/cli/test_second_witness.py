"""A store that is a server knows where each ledger stands: what was cut or sealed again is found, on its own too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.books import act, book
from tests.cli.console import here
from tests.cli.killing import effects
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.app.braking import HostBrakes
from memrunbook.app.journaling import HostJournal
from memrunbook.app.reporting import list_runs
from memrunbook.core.run.record import Asked, Envelope
from memrunbook.core.run.request import Execute
from memrunbook.state import ledger
from memrunbook.state.chain import Link
from memrunbook.state.store.changes import Store
from memrunbook.state.store.journals import known
from memrunbook.state.store.tables import METADATA

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(scope="module")
def running() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@pytest.fixture
def server(running: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """The store that everybody uses, empty; it may be stopped."""
    monkeypatch.setenv("RUNBOOK_STORE", running.url)
    yield running
    running.stop()
    running.start()
    engine = sa.create_engine(running.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


def words(folder: Path, name: str = "small") -> list[str]:
    """A command that changes something once, harmlessly."""
    steps = act("once", "sh", "-c", f"echo {name} >>{folder / 'effects'}")
    return ["run", book(folder, steps, name=name, resolved="memory.available_percent > 100.0"), "--host=local", "--yes"]


def place(state: Path, server: Postgres) -> Link | None:
    """Where the store saw the ledger of a state directory."""
    store = Store.open(state, server.url)
    sight = known(store, ledger.first_key(state))
    store.close()
    return sight.link if sight else None


def stopping(server: Postgres, monkeypatch: pytest.MonkeyPatch, when: Callable[[Envelope], bool]) -> None:
    """Stops the server right before the first such record is written."""
    append = HostJournal.append

    def stopped(self: HostJournal, envelope: Envelope) -> str:
        if when(envelope):
            server.stop()
        return append(self, envelope)

    monkeypatch.setattr(HostJournal, "append", stopped)


def begins(envelope: Envelope) -> bool:
    return isinstance(envelope, Asked) and isinstance(envelope.request, Execute)


def test_the_store_knows_the_end_of_each_ledger(tmp_path: Path, state: Path, server: Postgres) -> None:
    other = tmp_path / "other"
    assert here(*words(tmp_path)).code == 3
    assert here(*words(tmp_path, "second"), "--state-dir", str(other)).code == 3
    for one in (state, other):
        assert place(one, server) == ledger.end(one)
        assert ledger.end(one).count > 0


def test_nothing_is_begun_that_the_store_was_not_told(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stopping(server, patch, begins)
        here(*words(tmp_path)).refused(6, "the store does not answer", hint="runbook resume")
    assert effects(tmp_path) == {}
    [run] = list_runs(state).runs
    last = json.loads((run.path / "local.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["request"]["type"]) == ("asked", "Execute"), "the store said no before anything else"
    server.start()
    assert here("resume", "last", "--yes").code == 3
    assert effects(tmp_path) == {"small": 1}
    assert place(state, server) == ledger.end(state)


def test_what_it_cannot_be_told_at_the_end_it_is_told_by_the_next_run(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = HostBrakes.ran

    def then_stopped(self: HostBrakes, outcome: str, *, changed: bool) -> None:
        ran(self, outcome, changed=changed)
        server.stop()

    with monkeypatch.context() as patch:
        patch.setattr(HostBrakes, "ran", then_stopped)
        first = here(*words(tmp_path))
    assert first.code == 3, first.said
    assert first.err.count("where the ledger stands is not told: ") == 1
    assert "the next run tells it" in first.err
    server.start()
    behind = place(state, server)
    assert behind is not None
    assert behind.count < ledger.end(state).count
    assert here(*words(tmp_path, "again")).code == 3
    assert place(state, server) == ledger.end(state)


def test_a_node_that_was_away_joins_by_itself(tmp_path: Path, state: Path, server: Postgres) -> None:
    away = "--store", str(tmp_path / "own.sqlite")
    for name in ("one", "two"):
        assert here(*words(tmp_path, name), *away).code == 3
    assert place(state, server) is None
    assert here(*words(tmp_path, "three")).code == 3
    assert place(state, server) == ledger.end(state)
    assert here(*words(tmp_path, "four"), *away).code == 3
    assert here("undo", "last", "--yes").code in (0, 5)
    assert here(*words(tmp_path, "five")).code == 3
    assert place(state, server) == ledger.end(state)
