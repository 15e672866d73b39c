"""The state directory: which one it is, and that nobody else can write it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from memrunbook.core.errors import JournalError
from memrunbook.state.paths import prepare, state_dir


@pytest.mark.parametrize(
    ("given", "environment", "uid", "expected"),
    [
        ("/given", {"RUNBOOK_STATE_DIR": "/env"}, 0, "/given"),
        (None, {"RUNBOOK_STATE_DIR": "/env"}, 0, "/env"),
        (None, {"XDG_STATE_HOME": "/xdg"}, 0, "/var/lib/memrunbook"),
        (None, {"XDG_STATE_HOME": "/xdg", "HOME": "/home/u"}, 5, "/xdg/memrunbook"),
        (None, {"XDG_STATE_HOME": "relative", "HOME": "/home/u"}, 5, "/home/u/.local/state/memrunbook"),
        (None, {"HOME": "/home/u", "RUNBOOK_STATE_DIR": ""}, 5, "/home/u/.local/state/memrunbook"),
    ],
)
def test_the_first_that_is_named_counts(
    given: str | None, environment: dict[str, str], uid: int, expected: str
) -> None:
    assert state_dir(given, environment, uid) == Path(expected)


def test_without_a_home_in_the_environment_the_accounts_is_used() -> None:
    assert state_dir(None, {}, 5) == Path.home() / ".local/state/memrunbook"


def test_a_relative_directory_is_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_dir("here", {}, 5) == tmp_path / "here"


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = prepare(tmp_path / "a" / "b")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (made, made.parent)] == [0o700, 0o700]
    assert prepare(made) == made


def test_a_directory_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(JournalError) as caught:
        prepare(tmp_path)
    assert caught.value.hint == f"chmod 700 {tmp_path}"


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="could not be made: it is a file"):
        prepare(tmp_path / "file")
