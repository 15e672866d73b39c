"""The textfile: whole or as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state.textfile import write_textfile


def test_a_new_file_stands_in_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    path.write_text("old")
    path.chmod(0o600)
    write_textfile(path, "new\n")
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def test_what_cannot_be_replaced_stays_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.prom").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_textfile(tmp_path / "x.prom", "new\n")
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]
