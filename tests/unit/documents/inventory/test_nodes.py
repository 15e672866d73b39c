"""YAML as Ansible's users write it."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook.core.errors import DocumentError
from memrunbook.documents.inventory import nodes
from memrunbook.documents.inventory.gathered import Encrypted, Unread


def values(text: str) -> dict[str, Any]:
    root = nodes.compose(text, "f.yml")
    assert root is not None
    return {name: nodes.value_of(value) for name, _, value in nodes.pairs(root)}


def test_of_what_nothing_reads_lists_and_mappings_are_not_built() -> None:
    root = nodes.compose("users: [1]\ntags: [a]\nansible_x: {b: 1}\nport: 5\n", "f.yml")
    assert root is not None
    found = nodes.variables(root, "f.yml")
    assert isinstance(found["users"].value, Unread)
    assert [found[name] for name in ("tags", "ansible_x", "port")] == [
        (["a"], "f.yml:2"),
        ({"b": 1}, "f.yml:3"),
        (5, "f.yml:4"),
    ]


def test_values_are_those_of_ansible() -> None:
    found = values("a: yes\nb: 0755\nc: 1.5\nd: ~\ne: '5'\nf: [1, {g: no}]\nh: !unsafe '{{ x }}'\n")
    assert found == {"a": True, "b": 493, "c": 1.5, "d": None, "e": "5", "f": [1, {"g": False}], "h": "{{ x }}"}


def test_what_is_encrypted_of_a_tag_of_its_own_or_no_value_is_not_built() -> None:
    found = values(
        "a: !vault |\n  $ANSIBLE_VAULT;1\nb: $ANSIBLE_VAULT;1.1\nc: !own x\nd: 2020-13-45\ne: {__ansible_vault: x}\n"
    )
    assert [type(found[name]) for name in "abcde"] == [Encrypted, Encrypted, Unread, Unread, Encrypted]
    assert values("a: {__ansible_unsafe: '{{ x }}'}\n") == {"a": "{{ x }}"}


def test_what_is_too_deep_or_too_large_is_not_built() -> None:
    deep = "[" * 20 + "]" * 20
    bomb = "x: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"x{n}: &a{n} [{', '.join([f'*a{n - 1}' if n > 1 else '*a'] * 10)}]\n" for n in range(1, 9)
    )
    found = values(f"a: {deep}\n{bomb}b: 1\n")
    assert isinstance(found["a"], Unread)
    assert isinstance(found["x8"], Unread)
    assert found["b"] == 1


def test_merges_come_before_what_stands_beside_them() -> None:
    text = "a: &a {k: 1, l: 1}\nb: &b {l: 2}\nc:\n  k: 3\n  <<: [*a, *b]\nd: {<<: 5, m: 1}\n"
    assert values(text)["c"] == {"k": 3, "l": 2}
    assert values(text)["d"] == {"m": 1}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: \x01\n", "f.yml", "this is not YAML"),
        ("a: b: c\n", "f.yml:1:5", 'there is a second ": "'),
        ("a: &x 1\nb: *y\n", "f.yml:2:4", "this is not YAML"),
        ("a: 1\n--- \nb: 2\n", "f.yml:2:1", "this is not YAML"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(text: str, where: str, message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        nodes.compose(text, "f.yml")
    [told] = refused.value.problems
    assert told.where == where
    assert message in told.message


def test_what_is_no_text_is_told() -> None:
    for content, where in ((b"a\n\xff", "f.yml:2"), (b"x" * (nodes.LARGEST_FILE + 1), "f.yml")):
        with pytest.raises(DocumentError) as refused:
            nodes.decoded(content, "f.yml")
        assert refused.value.problems[0].where == where
