"""A page is its owner's alone, written whole, and takes the place of nothing but a page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state.page_file import refuse_page, write_page

MARK = "<mark>"


def test_a_page_is_its_owners_alone_and_replaced_by_a_page(tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    assert write_page(file, f"{MARK}één", MARK) == len(f"{MARK}één".encode())
    assert file.stat().st_mode & 0o777 == 0o600
    write_page(file, f"{MARK}two", MARK)
    assert file.read_text() == f"{MARK}two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_nothing_but_a_page_is_ever_replaced(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine")
    (tmp_path / "empty").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    refused = {"other": "another file is there", "link": "is a link", "folder": "is a folder", "pipe": "is no file"}
    for name, words in refused.items():
        with pytest.raises(UsageError, match=words) as error:
            write_page(tmp_path / name, MARK, MARK)
        assert error.value.hint
        assert error.value.where == f"--html {tmp_path / name}"
    assert (tmp_path / "other").read_text() == "mine"
    write_page(tmp_path / "empty", MARK, MARK)


def test_where_it_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        refuse_page(tmp_path / "none" / "x.html", MARK)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a directory"):
        refuse_page(tmp_path / "file" / "x.html", MARK)
    with pytest.raises(UsageError, match="file name too long"):
        write_page(tmp_path / ("x" * 300), MARK, MARK)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
