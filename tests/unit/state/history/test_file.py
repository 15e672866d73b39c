"""A file that is broken, somebody else's, newer, not writable or on a full disk."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memrunbook.core.errors import JournalError
from memrunbook.core.reading.series import Observation, Series
from memrunbook.state.history.file import HistoryFile
from memrunbook.state.history.past import StoredPast
from memrunbook.state.history.tables import NEWEST

NOW = 1_700_000_000.0
ONE = [Series("host", "", "memory.free_bytes", (Observation(NOW, 1.0),))]


def opened(path: Path, said: list[str] | None = None) -> StoredPast:
    told: list[str] = [] if said is None else said
    return StoredPast(HistoryFile(path, lambda: NOW, lambda words, hint: told.append(f"{words}; {hint}")), lambda: NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_what_is_no_database_is_set_aside_and_said(path: Path) -> None:
    path.write_bytes(b"not a database, though it is long enough to be taken for one" * 99)
    said: list[str] = []
    past = opened(path, said)
    assert past.series("web", "", 0.0) == ()
    past.keep("web", "", ONE)
    assert past.series("web", "", 0.0) == tuple(ONE)
    aside = path.with_name("history.sqlite.aside-20231114T221320Z")
    assert aside.read_bytes().startswith(b"not a database")
    (words,) = said
    assert "begins anew" in words
    assert str(aside) in words


def test_a_database_of_another_program_is_kept_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (cake TEXT)")
        other.execute("INSERT INTO recipes VALUES ('plum')")
        other.commit()
    said: list[str] = []
    opened(path, said).keep("web", "", ONE)
    assert "another program" in said[0]
    (aside,) = path.parent.glob("history.sqlite.aside-*Z")
    with closing(sqlite3.connect(aside)) as other:
        assert other.execute("SELECT cake FROM recipes").fetchall() == [("plum",)]


def test_pages_that_broke_later_are_found_out_when_they_are_read(path: Path) -> None:
    past = opened(path)
    past.keep("web", "", [Series("unit", f"unit-{n}" * 20, "f", (Observation(NOW, 1.0),)) for n in range(400)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    said: list[str] = []
    opened(path, said).keep("web", "", ONE)
    assert "begins anew" in said[0]
    assert opened(path).series("web", "", 0.0) == tuple(ONE)


def test_several_that_find_it_broken_at_once_set_aside_one_file(path: Path) -> None:
    path.write_bytes(b"broken" * 999)
    said: list[str] = []
    barrier = threading.Barrier(4)

    def write(number: int) -> None:
        barrier.wait()
        opened(path, said).keep(f"web-{number}", "", ONE)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(path.parent.glob("*.aside-*"))) == 1
    assert len(opened(path).hosts()) == 4


def test_a_newer_one_is_left_alone(path: Path) -> None:
    opened(path).keep("web", "", ONE)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={NEWEST + 1}")
    with pytest.raises(JournalError, match="newer version"):
        opened(path).keep("web", "", ONE)
    assert list(path.parent.glob("*.aside-*")) == []


def test_a_locked_one_is_waited_for_and_then_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memrunbook.state.history.file.PATIENCE", 0.1)
    opened(path).keep("web", "", ONE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            opened(path).keep("web", "", ONE)
        assert opened(path).series("web", "", 0.0) == tuple(ONE)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "x", folder], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_breaks_nothing(small: Path) -> None:
    past = opened(small / "history.sqlite")
    past.keep("web", "", ONE)
    (small / "fill").write_bytes(b"x" * (100 << 10))
    many = [Series("unit", f"unit-{n}" * 20, "f", (Observation(NOW, 1.0),)) for n in range(4000)]
    with pytest.raises(JournalError, match="disk is full") as raised:
        past.keep("web", "", many)
    assert "see that there is space" in raised.value.hint
    (small / "fill").unlink()
    assert past.series("web", "", 0.0) == tuple(ONE)


def test_a_folder_that_may_not_be_written_is_said(small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    with pytest.raises(JournalError):
        opened(small / "history.sqlite").keep("web", "", ONE)


def test_a_known_history_can_be_read_where_it_may_not_be_written(small: Path) -> None:
    opened(small / "history.sqlite").keep("web", "", ONE)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    assert opened(small / "history.sqlite").series("web", "", 0.0) == tuple(ONE)


@pytest.mark.parametrize(
    ("asks", "hosts"),
    [
        (lambda past: past.told("web", "", 0.0), ()),
        (lambda past: past.hosts(), ()),
        (lambda past: past.keep("web", "", ONE), ("web",)),
    ],
)
def test_what_turns_out_to_be_damaged_is_set_aside_and_gone_on_without(
    path: Path, asks: Callable[[StoredPast], object], hosts: tuple[str, ...]
) -> None:
    points = tuple(Observation(NOW - 60.0 * number, float(number), str(number % 50)) for number in range(5000))
    series = [Series("unit", f"{name}.service", "units.own_bytes", points) for name in "abcdef"]
    opened(path).keep("web", "", series)
    with path.open("r+b") as file:
        for place in range(4096, path.stat().st_size, 4096):
            file.seek(place)
            file.write(b"\xff" * 4096)
    said: list[str] = []
    past = opened(path, said)
    assert asks(past) in {((), ()), (), None}
    assert len(said) == 1
    assert "begins anew" in said[0]
    assert past.hosts() == hosts
