"""A real PostgreSQL server that goes away under a run: nothing is changed meanwhile, and the run goes on after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import Terminal, here, terminal, wait_for
from tests.postgres import MISSING, Postgres, postgres, programs

pytestmark = pytest.mark.usefixtures("machine")
LARGE = """
import pathlib, sys, time
held, began = b"x" * (1 << 26), time.monotonic()
pathlib.Path(sys.argv[1], "there").touch()
while not pathlib.Path(sys.argv[1], "over").exists() and time.monotonic() < began + 120:
    time.sleep(0.2)
"""
AWAY = "the store does not answer; nothing is changed until it does"


@pytest.fixture
def database() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with postgres() as running:
        yield running


@pytest.fixture
def shared(own_home: Path, database: Postgres) -> Path:
    """The config.yaml of whoever runs this: the server is waited for as long as the test lasts."""
    folder = own_home / ".config" / "memrunbook"
    folder.mkdir(parents=True)
    (folder / "config.yaml").touch(0o600)
    wait_at_most(folder / "config.yaml", database, "1m")
    return folder / "config.yaml"


def wait_at_most(config: Path, database: Postgres, patience: str) -> None:
    config.write_text(f"store: {{url: '{database.url}', patience: {patience}}}\n")


def two_steps(folder: Path, second: str = "") -> list[str]:
    """Each adds a line to a file when it is carried out; the second begins a process too, which resolves it."""
    name = f"two-{folder.stat().st_ino % 10**8}"
    (folder / name).symlink_to(Path(sys.executable).resolve())
    (folder / "large.py").write_text(LARGE)
    begin = f"setsid {folder / name} {folder / 'large.py'} {folder} >/dev/null 2>&1 &"
    two = f"echo two >>{folder / 'done'}; {second} {begin} until [ -e {folder / 'there'} ]; do sleep 0.05; done"
    steps = (act("one", "sh", "-c", f"echo one >>{folder / 'done'}"), act("two", "sh", "-c", two))
    return ["run", book(folder, *steps, resolved=f"processes.all.exists(p, p.name == '{name}')"), "--host", "local"]


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path) -> Iterator[None]:
    """The process ends with its test."""
    yield
    (tmp_path / "over").touch()


def done(folder: Path) -> list[str]:
    path = folder / "done"
    return path.read_text().split() if path.exists() else []


def said(screen: Terminal) -> str:
    """What it drew, as if lines had no end."""
    return " ".join(screen.drawn.split())


def at_the_second_gate(screen: Terminal) -> None:
    screen.expect("y/N")
    screen.type("y\n")
    screen.expect("y/N")


@pytest.mark.usefixtures("shared")
def test_a_server_that_is_restarted_between_gate_and_effect_is_waited_for(tmp_path: Path, database: Postgres) -> None:
    with terminal(*two_steps(tmp_path)) as screen:
        at_the_second_gate(screen)
        database.stop()
        screen.type("y\n")
        screen.expect(AWAY)
        assert done(tmp_path) == ["one"]
        database.start()
        screen.expect("the store answers again")
        assert screen.wait() == 0, screen.drawn
    assert done(tmp_path) == ["one", "two"]
    assert said(screen).count(AWAY) == 1
    assert here("audit", "verify").code == 0


def test_one_that_stays_away_ends_the_run_which_is_gone_on_with_later(
    tmp_path: Path, shared: Path, database: Postgres
) -> None:
    wait_at_most(shared, database, "2s")
    with terminal(*two_steps(tmp_path)) as screen:
        at_the_second_gate(screen)
        database.stop()
        screen.type("y\n")
        assert screen.wait() == 6, screen.drawn
    assert "then: runbook resume" in said(screen)
    assert done(tmp_path) == ["one"]
    database.start()
    resumed = here("resume", "last", "--yes")
    assert resumed.code == 0, resumed.said
    assert done(tmp_path) == ["one", "two"]


@pytest.mark.usefixtures("shared")
def test_a_person_who_waits_for_it_may_stop(tmp_path: Path, database: Postgres) -> None:
    with terminal(*two_steps(tmp_path)) as screen:
        at_the_second_gate(screen)
        database.stop()
        screen.type("y\n")
        screen.expect(AWAY)
        screen.type("\x03")
        assert screen.wait() == 130, screen.drawn
    assert done(tmp_path) == ["one"]
    assert "the end of the run is not remembered" in said(screen)
    database.start()
    assert here("resume", "last", "--yes").code == 0
    assert done(tmp_path) == ["one", "two"]


def test_what_is_done_already_comes_to_its_end_without_it(tmp_path: Path, shared: Path, database: Postgres) -> None:
    wait_at_most(shared, database, "1s")
    go = tmp_path / "go"
    second = f"touch {tmp_path / 'begun'}; until [ -e {go} ]; do sleep 0.05; done;"
    with terminal(*two_steps(tmp_path, second), "--yes") as screen:
        wait_for(tmp_path / "begun")
        database.stop()
        go.touch()
        assert screen.wait() == 0, screen.drawn
    assert done(tmp_path) == ["one", "two"]
    assert "the end of a change is not remembered: the store does not answer" in said(screen)
    assert "the end of the run is not remembered: the store does not answer" in said(screen)
    assert here("audit", "verify").code == 0


@pytest.mark.usefixtures("shared")
def test_whoever_begins_while_it_is_away_is_told_at_once(tmp_path: Path, state: Path, database: Postgres) -> None:
    database.stop()
    here(*two_steps(tmp_path), "--yes").refused(6, "the store does not answer", hint="nothing is changed")
    assert not list((state / "runs").glob("*"))
    assert done(tmp_path) == []
