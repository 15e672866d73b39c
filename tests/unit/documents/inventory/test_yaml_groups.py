"""Inventories in YAML: groups of hosts, children and vars, with the places of all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, problems

GROUPS = """\
all:
  vars: &login
    ansible_user: ops
  children:
    web:
      hosts:
        web[01:02]:
        web03: {ansible_port: 2222}
      vars:
        <<: *login
        ansible_become: yes
    db:
      hosts: db1
      children: {replica: {hosts: {db2: }}}
"""


def test_groups_ranges_anchors_and_merges(tmp_path: Path) -> None:
    found = inventory(tmp_path, "hosts.yml", hosts_yml=GROUPS)
    assert found.members("all") == ["web01", "web02", "web03", "db1", "db2"]
    assert found.hosts["db2"].groups == ("db", "replica")
    web = found.hosts["web03"]
    assert (web.user, web.port, web.sudo, web.where) == ("ops", 2222, "always", f"{tmp_path}/hosts.yml:8")


def test_without_an_extension_yaml_is_told_from_ini(tmp_path: Path) -> None:
    assert inventory(tmp_path, hosts="web:\n  hosts:\n    a:\n").members("web") == ["a"]
    assert inventory(tmp_path, hosts="[web]\na\n").members("web") == ["a"]
    assert inventory(tmp_path, hosts="a\nb\n").members("ungrouped") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("web:\n  host:\n    a:\n", "hosts.yml:2", '"host" in the group web', "did you mean hosts?"),
        ("web:\n  hosts:\n    - a\n", "hosts.yml:3", "hosts of web is no mapping", "colon behind each name"),
        ("web:\n  hosts:\n    a: 5\n", "hosts.yml:3", "a has a value that is no mapping", "ansible_host"),
        ("- a\n", "hosts.yml:1", "no mapping of groups", "web: {hosts"),
        ("a: [\n", "hosts.yml:2:1", "this is not YAML", ""),
        ("a:\n\tb: c\n", "hosts.yml:2", "a tab may not stand here", "spaces"),
        ("a: {children: {b: {children: {a: }}}}\n", "hosts.yml:1", "would stand inside itself", ""),
        ("plugin: amazon.aws.aws_ec2\nregions: [x]\n", "hosts.yml:1", "plugin amazon.aws.aws_ec2", "-i ansible:"),
        ("a: {children: 5, hosts: {x: }}\nb: {vars: [1]}\n", "hosts.yml:2", "vars of b is no mapping", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, where: str, message: str, hint: str) -> None:
    told = problems(tmp_path, "hosts.yml", hosts_yml=text)
    assert any(one.where.startswith(where) and message in one.message and hint in one.hint for one in told), told


def test_what_ansible_passes_over_is_noted(tmp_path: Path) -> None:
    found = inventory(tmp_path, "hosts.yml", hosts_yml="web: {hosts: {a: }, remark: x}\nversion: 3\n")
    assert list(found.hosts) == ["a"]
    assert [one.message.partition(",")[0] for one in found.notes] == [
        '"remark" in the group web is none of hosts',
        "version is no group",
    ]
    assert "empty" in inventory(tmp_path, "hosts.yml", hosts_yml="# nothing\n").notes[0].message


def test_nested_aliases_do_not_explode(tmp_path: Path) -> None:
    levels = ["g0: &g0 {hosts: {a: }}"]
    levels += [f"g{n}: &g{n} {{children: {{x{n}: *g{n - 1}, y{n}: *g{n - 1}}}}}" for n in range(1, 25)]
    told = problems(tmp_path, "hosts.yml", hosts_yml="\n".join(levels))
    assert any("more than 20000 groups" in one.message for one in told)


def test_deep_nesting_is_told(tmp_path: Path) -> None:
    for levels in ("[" * 100_000, "a: {" * 100_000, "".join(f"{' ' * depth}a:\n" for depth in range(300))):
        assert "nested deeper" in problems(tmp_path, "hosts.yml", hosts_yml=levels)[0].message
