"""What is allowed, and likely a mistake: it is noted, and nothing is refused for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory

DOUBTFUL: dict[str, tuple[str, str, list[str]]] = {
    "a host twice": (
        "hosts", "[web]\na ansible_host=192.0.2.1\n[db]\na ansible_host=192.0.2.2\n",
        ["hosts:4: ansible_host is set twice: this one counts"],
    ),
    "a variable of a group twice": (
        "hosts", "[web]\na\n[web:vars]\nansible_user=x\nansible_user=y\n",
        ["hosts:5: ansible_user is set twice: this one counts"],
    ),
    "a host twice in YAML": (
        "hosts.yml", "web:\n  hosts:\n    a: {ansible_host: 192.0.2.1}\n    a: {ansible_host: 192.0.2.2}\n",
        ['hosts.yml:4: "a" stands twice in this mapping: the last one counts'],
    ),
    "a group twice in YAML": (
        "hosts.yml", "web: {hosts: {b: }}\nweb: {hosts: {a: }}\n",
        ['hosts.yml:2: "web" stands twice in this mapping: the last one counts'],
    ),
    "a variable twice in YAML": (
        "hosts.yml", "web:\n  vars: {ansible_user: x, ansible_user: y}\n  hosts: {a: }\n",
        ['hosts.yml:2: "ansible_user" stands twice in this mapping: the last one counts'],
    ),
    "a host in two groups of YAML": (
        "hosts.yml", "web: {hosts: {a: {ansible_port: 1}}}\ndb: {hosts: {a: {ansible_port: 2}}}\n",
        ["hosts.yml:2: ansible_port is set twice: this one counts"],
    ),
    "a misspelt address": ("hosts", "a ansible_hots=192.0.2.1\n", ['hosts:1: "ansible_hots" is not read']),
    "a misspelt port": ("hosts", "a ansible_por=22\n", ['hosts:1: "ansible_por" is not read']),
    "a misspelt sudo": ("hosts", "a ansible_becom=yes\n", ['hosts:1: "ansible_becom" is not read']),
    "no address": ("hosts", "a ansible_host=\n", ["hosts:1: ansible_host is empty"]),
    "a tag that protects, misspelt": (
        "hosts", "a tags=kubernets\n",
        ["hosts:1: the tag kubernets is not known, kubernetes is"],
    ),
    "a tag of config.yaml, misspelt": ("hosts", "a tags=frozn\n", ["hosts:1: the tag frozn is not known, frozen is"]),
    "groups in capitals": ("hosts", "[web]\na\n[WEB]\na\n", ["hosts:3: WEB and web are not the same"]),
    "hosts in capitals": ("hosts", "a\nA\n", ["hosts:2: A and a are not the same"]),
    "a program that knows nobody": ("inv.py", "#!/bin/sh\necho '{}'\n", ["inv.py: this names no host"]),
    "a file of comments": ("hosts", "# none\n", ["hosts: this names no host"]),
    "what Ansible has": (
        "hosts", "a ansible_hostname=x ansible_user_id=ops ansible_ssh_pipelining=1 ansible_python_interpreter=x\n", [],
    ),
    "the same said twice": ("hosts", "[web]\na ansible_user=x\n[db]\na ansible_user=x\n", []),
    "a tag of one's own": ("hosts", "a tags=payments,blue\n", []),
    "an anchor that is merged and overridden": (
        "hosts.yml", "web:\n  hosts:\n    a: &x {ansible_user: u}\n    b: {<<: *x, ansible_user: v}\n", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "notes"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_is_doubtful_is_noted(tmp_path: Path, name: str, text: str, notes: list[str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / name).chmod(0o755 if text.startswith("#!") else 0o644)
    found = inventory(tmp_path, name, ruling=frozenset({"frozen"}))
    assert [f"{one.where.removeprefix(f'{tmp_path}/')}: {one.message}" for one in found.notes] == notes
    assert not any(host.refused for host in found.hosts.values())


def test_of_two_keys_the_last_one_counts_alone(tmp_path: Path) -> None:
    text = "web:\n  hosts:\n    a: {ansible_host: 192.0.2.1, ansible_user: x}\n    a: {ansible_host: 192.0.2.2}\n"
    found = inventory(tmp_path, "hosts.yml", hosts_yml=text)
    assert (found.hosts["a"].address, found.hosts["a"].user) == ("192.0.2.2", "")


def test_an_anchor_inside_itself_ends(tmp_path: Path) -> None:
    assert list(inventory(tmp_path, "h.yml", h_yml="web: &w {hosts: {a: }, vars: {x: *w, x: 1}}\n").hosts) == ["a"]
