"""Files that bind people are theirs or root's, and are there, or it is said that they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.documents.owned import is_there, read_owned


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        read_owned(path)
    problem = caught.value.problems[0]
    assert problem.where == str(path)
    return problem.message, problem.hint


def test_ones_own_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("x")
    assert read_owned(tmp_path / "config.yaml") == b"x"


def test_one_that_everybody_may_write_binds_nobody(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("x")
    path.chmod(0o666)
    message, hint = refused(path)
    assert "everybody may write it" in message
    assert "chmod o-w" in hint


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_one_of_another_user_is_refused_unless_that_user_used_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("x")
    os.chown(path, 4242, -1)
    monkeypatch.delenv("SUDO_UID", raising=False)
    message, hint = refused(path)
    assert "belongs to another user (uid 4242)" in message
    assert "chown root" in hint
    monkeypatch.setenv("SUDO_UID", "4242")
    assert read_owned(path) == b"x"
    monkeypatch.setenv("SUDO_UID", "nobody")
    assert refused(path)[0] == message


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path)[0].startswith("the file cannot be read: ")
    (tmp_path / "link").symlink_to("nowhere")
    assert refused(tmp_path / "link")[0] == "the file cannot be read: No such file or directory"


def test_a_link_to_nothing_is_there_and_what_cannot_be_looked_at_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_there(tmp_path / "no" / "config.yaml")
    (tmp_path / "link").symlink_to("nowhere")
    assert is_there(tmp_path / "link")

    def denied(_: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", denied)
    with pytest.raises(UsageError, match="it cannot be looked at: Permission denied"):
        is_there(tmp_path)
