"""Inventories in Ansible's INI, line by line as Ansible reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, problems

from memrunbook.documents.inventory.gathered import Encrypted, Gathered, Unread
from memrunbook.documents.inventory.ini import IniReader, literal


def read(text: str) -> Gathered:
    found = Gathered()
    IniReader(found, "hosts").read(text)
    return found


def test_hosts_groups_children_and_variables() -> None:
    found = read(
        "; both signs begin a comment\n"
        "loose\n"
        "[web]   # so it does behind a section\n"
        "web[01:02] ansible_user=ops  # and behind a host\n"
        "web01 ansible_port=2222\n"
        "[prod:children]\n"
        "web # behind a child too\n"
        "[web:vars]\n"
        "motd=a # b\n"
    )
    assert found.problems == []
    assert list(found.hosts) == ["loose", "web01", "web02"]
    assert list(found.groups["web"].hosts) == ["web01", "web02"]
    assert list(found.groups["prod"].children) == ["web"]
    assert found.hosts["web01"].where == "hosts:4"
    assert found.hosts["web01"].variables["ansible_user"].value == "ops"
    assert found.hosts["web01"].variables["ansible_port"] == (2222, "hosts:5")
    assert found.groups["web"].variables["motd"].value == "a # b", "in :vars a # is part of the value"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0x1F", 31),
        ("0755", "0755"),
        ("True", True),
        ("true", "true"),
        ("None", None),
        ("['a', 1]", ["a", 1]),
        ("{'a': {'b': 2}}", {"a": {"b": 2}}),
        ("'quoted'", "quoted"),
        ("10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("a=b", "a=b"),
        ("__import__('os')", "__import__('os')"),
    ],
)
def test_values_are_python_literals_or_text(text: str, value: object) -> None:
    assert literal(text) == value


def test_what_is_encrypted_or_endless_is_no_value() -> None:
    assert isinstance(literal("$ANSIBLE_VAULT;1.1;AES256"), Encrypted)
    assert isinstance(literal("[" * 70_000), Unread)
    assert literal("(" * 5000) == "(" * 5000


def test_names_with_ports_logins_and_addresses() -> None:
    found = read("a:2022\n[2001:db8::6]:2223\n2001:db8::5\nada@b\n'c:5' ansible_port=7\n10.0.0.5:22\n")
    assert found.problems == []
    ports = {
        name: host.variables["ansible_port"].value
        for name, host in found.hosts.items()
        if host.variables.get("ansible_port")
    }
    assert ports == {"a": 2022, "2001:db8::6": 2223, "c": 7, "10.0.0.5": 22}
    assert "2001:db8::5" in found.hosts
    assert found.hosts["b"].variables["ansible_user"].value == "ada"


def test_quotes_hold_a_value_together() -> None:
    host = read("""a args='-o ProxyCommand="ssh -W %h:%p gate"' tags="x, y" b=#no\n""").hosts["a"]
    values = {name: given.value for name, given in host.variables.items()}
    assert values == {"args": '-o ProxyCommand="ssh -W %h:%p gate"', "tags": "x, y", "b": ""}


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("a b\n", "hosts:1", "b sets no variable", "NAME=VALUE"),
        ("a b = c\n", "hosts:1", "b sets no variable", "without blanks"),
        ("a b='c\n", "hosts:1", "a quote is opened and never closed", "quote"),
        ("[web\n:x]\n[we b]\n", "hosts:3", "[we b] is no section", "[group:vars]"),
        ("[web]\na\n[db\nb\n", "hosts:3", "[db is no section", "[group:vars]"),
        ("[web]\na\n[db:vars\nx=1\n", "hosts:3", "[db:vars is no section", "[group:vars]"),
        ("[web]\na\n[we b\nb\n", "hosts:3", "[we b is no section", "[group:vars]"),
        ("[web:hostz]\nx=1\n", "hosts:1", "[web:hostz] is no kind of section", "[web:children]"),
        ("[web]\n[web:vars]\nnothing\n", "hosts:3", "nothing sets no variable", "NAME=VALUE"),
        ("[web:vars]\na=1\n", "hosts:1", "there is no group web", "[web]"),
        ("[prod:children]\nweb\n", "hosts:2", "there is no group web", "[web]"),
        ("[prod:children]\nweb db\n[web]\n", "hosts:2", "web db is no name of a group", "one group a line"),
        ("[a:children]\nb\n[b:children]\na\n", "hosts:4", "the group a would stand inside itself", "take a out of b"),
        ("all:\n", "hosts:1", "ends in a colon: this looks like YAML", ".yml"),
        ("---\n", "hosts:1", "this looks like YAML", ".yml"),
        ("web[3:1]\n", "hosts:1", "empty or too large", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, where: str, message: str, hint: str) -> None:
    told = read(text).problems
    assert any(one.where == where and message in one.message and hint in one.hint for one in told), told


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    told = problems(tmp_path, "hosts.ini", **{"hosts.ini": "a b\nc d\n[x:vars]\ny=1\n"})
    assert [one.where for one in told] == ["hosts.ini:1", "hosts.ini:2", "hosts.ini:3"]


def test_a_group_may_be_one_of_a_file_before(tmp_path: Path) -> None:
    found = inventory(tmp_path, "inv", inv__1="[web]\na\n", inv__2="[web:vars]\nansible_user=ops\n[x:children]\nweb\n")
    assert found.hosts["a"].user == "ops"
    assert found.hosts["a"].groups == ("x", "web")
