"""Who may what on the pages: by name, the higher of two roles, and never more than the administrator gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError
from memrunbook.documents.config import load_config
from memrunbook.documents.roles import Roles


def roles(folder: Path, text: str) -> Roles:
    file = folder / "config.yaml"
    file.write_text(f"serve:\n  roles: {text}\n")
    return load_config(file).serve.roles


def test_each_has_a_role_by_name_the_higher_of_two_and_everybody_else_what_is_said_of_everybody(tmp_path: Path) -> None:
    found = roles(tmp_path, "{operator: [grace@example.com], approver: [ada, grace@example.com], viewer: ['*', ada]}")
    people = ("grace@example.com", "ada", "Ada", "mallory", "")
    assert [found.role_of(one) for one in people] == ["operator", "approver", "viewer", "viewer", None]
    without = roles(tmp_path, "{operator: [grace], viewer: [ada]}")
    assert [without.role_of(one) for one in ("grace", "ada", "mallory", "*", "")] == [
        "operator", "viewer", None, None, None,
    ]  # fmt: skip


def test_without_roles_nobody_has_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("serve: {names: [runbook.example]}\n")
    assert load_config(file).serve.roles.role_of("ada") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{operator: ['*']}", "not everybody can be operator"),
        ("{approver: [ada, '*']}", "not everybody can be approver"),
        ("{viewer: ['*@example.com']}", "is no name of a person"),
        ("{viewer: ['ada,grace']}", "is no name of a person"),
        ("{viewer: ['!ada']}", "is no name of a person"),
        ("{viewer: ['ada lovelace']}", "is no name of a person"),
        ('{viewer: ["ada\\u202egrace"]}', "is no name of a person"),
        ("{admin: [ada]}", "admin"),
    ],
)
def test_what_is_no_name_or_no_role_is_a_mistake_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        roles(tmp_path, text)
    [problem] = caught.value.problems
    assert said in problem.message
    assert problem.where.startswith(f"{tmp_path}/config.yaml:2:")


def test_within_another_nobody_has_more_than_by_both(tmp_path: Path) -> None:
    binding = roles(tmp_path, "{operator: [grace], approver: [ada], viewer: ['*']}")
    own = roles(tmp_path, "{operator: [ada, mallory, bob], approver: [grace], viewer: [eve]}")
    found = binding.within(own)
    people = ("grace", "ada", "mallory", "eve", "somebody")
    assert [found.role_of(one) for one in people] == ["approver", "approver", "viewer", "viewer", None]
    assert own.within(binding) == found
