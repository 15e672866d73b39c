"""What goes wrong around a run and is nobody's mistake in a runbook: the store goes away, is newer, the clock jumps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.books import act, book
from tests.cli.console import here
from tests.cli.killing import effects
from tests.postgres import MISSING, Postgres, postgres, programs

from memrunbook.app.reporting import list_runs
from memrunbook.app.stored import Stored
from memrunbook.core.instant import Instant
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.store.changes import Store

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


def two_steps(folder: Path, name: str, seconds: float = 0.0) -> list[str]:
    """A command that runs two once-only steps; each goes on for so long after its effect."""
    does = [act(one, "sh", "-c", f"echo {one} >>{folder / 'effects'}; sleep {seconds}") for one in ("one", "two")]
    return ["run", book(folder, *does, name=name, resolved="memory.available_percent > 100.0"), "--host=local", "--yes"]


def test_a_server_that_goes_away_in_the_middle_of_a_change_ends_the_run_truly(
    tmp_path: Path, state: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_STORE", server.url)
    monkeypatch.setattr(Stored, "patience", 0.0)  # nobody waits for it

    def stop_when_it_has_happened() -> None:
        deadline = time.monotonic() + 30
        while not effects(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.01)
        server.stop()

    watching = threading.Thread(target=stop_when_it_has_happened)
    watching.start()
    ran = here(*two_steps(tmp_path, "gone", 1.5))
    watching.join()
    ran.refused(6, "the store does not answer", hint="runbook resume")
    assert effects(tmp_path) == {"one": 1}
    assert list_runs(state).open == (), "its end was kept before the store was told"
    here("resume", "last", "--yes").refused(6, "the store does not answer", hint="see that the server runs")
    assert effects(tmp_path) == {"one": 1}
    server.start()
    resumed = here("resume", "last", "--yes")
    assert resumed.code == 3, resumed.said
    assert effects(tmp_path) == {"one": 1, "two": 1}
    assert list_runs(state).open == ()
    assert here("audit", "verify").code == 0


def test_a_store_of_a_newer_version_stops_before_anything(tmp_path: Path, state: Path) -> None:
    state.mkdir()
    store = Store.open(state)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    store.close()
    here(*two_steps(tmp_path, "newer")).refused(6, "of a newer version of memrunbook", hint="update memrunbook here")
    here("off").refused(6, "of a newer version of memrunbook", hint="name another store")
    assert effects(tmp_path) == {}
    assert list_runs(state).runs == ()


def test_a_clock_that_was_put_back_an_hour_forgets_no_cool_down(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [one.replace("--yes", "--allow=run_command") for one in two_steps(tmp_path, "back")]
    path = Path(words[1])
    path.write_text(path.read_text().replace("risk: low", "risk: medium"))
    assert here(*words).code == 3
    saved = tmp_path / "plan.json"
    assert here("plan", *words[1:3], "--out", str(saved)).code == 0
    now = SystemClock.now

    def an_hour_ago(self: SystemClock) -> Instant:
        here_and_now = now(self)
        return Instant(here_and_now.utc - 3600, here_and_now.monotonic)

    monkeypatch.setattr(SystemClock, "now", an_hour_ago)
    again = here(*words)
    assert again.code == 5, again.said
    assert "the same was done" in again.out
    assert "cool-down" in again.out
    here("apply", str(saved)).refused(5, "from the future", "clock", hint="plan again")
    assert effects(tmp_path) == {"one": 1, "two": 1}
    assert here("audit", "verify").code == 0
    assert here("runs").code == 0
