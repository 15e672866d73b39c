"""What a program answers to --list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, problems, write

from memrunbook.documents.inventory.answers import is_answer

META = {
    "_meta": {"hostvars": {"a": {"ansible_host": "192.0.2.1"}, "b": {"ansible_user": {"__ansible_unsafe": "ops"}}}},
    "web": {"hosts": ["a", "b"], "vars": {"tags": ["x"]}},
    "prod": {"children": ["web"]},
    "flat": ["c"],
    "solo": {"ansible_port": 22},
}
ASKED = """#!/bin/sh
case $1 in
--list) echo '{"web": ["a", "b"]}' ;;
--host) test "$2" = b || echo '{"ansible_user": "ops"}' ;;
esac
"""


def program(answer: object) -> str:
    return f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n"


def test_groups_variables_and_short_forms(tmp_path: Path) -> None:
    found = inventory(write(tmp_path, {"hosts.sh": program(META)}), "hosts.sh")
    assert found.hosts["a"].address == "192.0.2.1"
    assert found.hosts["a"].tags == ("x",)
    assert found.hosts["a"].where.endswith("hosts.sh")
    assert found.hosts["b"].user == "ops"
    assert found.hosts["b"].groups == ("prod", "web")
    assert found.members("flat") == ["c"]
    assert found.hosts["solo"].port == 22


def test_a_saved_answer_is_read_as_it_was_given(tmp_path: Path) -> None:
    found = inventory(write(tmp_path, {"saved.json": json.dumps(META)}), "saved.json")
    assert set(found.hosts) == {"a", "b", "c", "solo"}
    assert not is_answer("{")
    assert not is_answer('{"web": {"hosts": {"a": null}}}')


def test_without_meta_each_host_is_asked_for(tmp_path: Path) -> None:
    found = inventory(write(tmp_path, {"hosts.sh": ASKED}), "hosts.sh")
    assert (found.hosts["a"].user, found.hosts["b"].user) == ("ops", "")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("#!/bin/sh\necho no\n", "the answer is no JSON"),
        ("#!/bin/sh\necho '[1]'\n", "no JSON object"),
        (program({"web": {"hosts": "a"}}), "the group web is not as Ansible wants it"),
        (program({"web": {"hosts": ["a"], "vars": [1]}}), "the group web is not"),
        (program({"_meta": {"hostvars": {"a": 5}}, "web": ["a"]}), "the variables of a are no JSON object"),
        ("#!/bin/sh\necho broken >&2\nexit 3\n", "it failed with status 3: broken"),
        ("#!/no/such/program\n", "is not installed here"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told(tmp_path: Path, answer: str, message: str) -> None:
    [told] = problems(tmp_path, "hosts.sh", **{"hosts.sh": answer})
    assert told.where.startswith("hosts.sh")
    assert message in told.message
    assert told.hint
