"""config.yaml: what it asks for, and its mistakes with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError
from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.documents.config import DAY, load_config
from memrunbook.documents.library import Library


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_paths_lie_beside_it_and_a_deadline_is_a_time(tmp_path: Path) -> None:
    (tmp_path / "signers").touch()
    revoked = tmp_path / "elsewhere"
    revoked.touch()
    text = f"approvals: [{{people: 2, hosts: db*}}]\nallowed_signers: signers\nrevoked_keys: {revoked}\ndeadline: 4h\n"
    found = load_config(written(tmp_path, text))
    assert found.approvals == (ApprovalRule(people=2, hosts="db*"),)
    assert (found.allowed_signers, found.revoked_keys) == (tmp_path / "signers", revoked)
    assert found.deadline == 4 * 3600
    assert load_config(written(tmp_path, "allowed_signers: signers\n")).deadline == DAY


def test_without_one_nothing_is_asked() -> None:
    assert Library().config().approvals == ()


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("approvals: [{}]\n", ":1:1", "nobody is allowed to give one"),
        ("allowed_signers: none\n", ":1:18", "there is no file"),
        ("deadline: 4\n", ":1:11", "4 is a duration without a unit"),
        ("aprovals: []\n", ":1:1", '"aprovals" is not known here'),
        ("approvals:\n  - {people: 0}\n", ":2:14", "must be at least 1"),
        ("approvals:\n  - {risk: huge}\n", ":2:12", 'must be one of "high", "low", "medium"'),
        ("allowed_signers: ''\n", ":1:18", "at least 1"),
        ("- 1\n", ":1:1", "must be a mapping"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, where: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DocumentError) as caught:
        load_config(path)
    problem = caught.value.problems[0]
    assert problem.where == f"{path}{where}"
    assert message in problem.message


def test_one_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_config(tmp_path)
    assert "cannot be read" in caught.value.problems[0].message
