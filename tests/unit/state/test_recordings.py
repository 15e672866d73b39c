"""Recordings on disk: whole, their owner's alone, and never over what somebody did not mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state.recordings import make_folder, refuse_written, save_recording


def test_a_recording_is_its_owners_alone_and_replaced_only_when_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "web1.txt"
    assert save_recording(file, "één\n", force=False) == len("één\n".encode())
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="the file is there already") as refused:
        save_recording(file, "two\n", force=False)
    assert "--force" in refused.value.hint
    assert save_recording(file, "two\n", force=True) == len("two\n")
    assert file.read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["web1.txt"]


def test_nothing_but_a_file_is_ever_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("link", "a link is there"), ("folder", "is no file"), ("pipe", "is no file")):
        with pytest.raises(UsageError, match=words):
            refuse_written(tmp_path / name, force=True)


def test_where_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        refuse_written(tmp_path / "none" / "x.txt", force=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        refuse_written(tmp_path / "file" / "x.txt", force=False)
    with pytest.raises(UsageError, match="cannot be written: File name too long"):
        save_recording(tmp_path / ("x" * 300), "", force=True)


def test_a_folder_of_recordings_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "new")
    make_folder(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="this is a file"):
        make_folder(tmp_path / "file")
    with pytest.raises(UsageError, match="the folder cannot be made: no such file"):
        make_folder(tmp_path / "none" / "new")
