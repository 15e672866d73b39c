"""The keys that are this engine's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, problems

from memrunbook.core.host import HostParameter, ProtectedUnit

KEY = "uZb0kRJ1lqgHcmAlxVmTqkkQiLmDXMjPZ5NRXJTd5bU"
OURS = f"""\
host_key_sha256: SHA256:{KEY}
tags: [realtime, kubernetes]
criticality: high
protected_units: "pg*.service, vip.service"
peers: web
runbook_parameters:
  window: 1h
  swap-thrashing: {{order: 9, fast: yes}}
"""


def test_all_of_them(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts="[web]\na\nb\nc\n", host_vars__a_yml=OURS).hosts["a"]
    where = f"{tmp_path}/host_vars/a.yml"
    assert found.host_key_sha256 == f"SHA256:{KEY}"
    assert found.tags == ("realtime", "kubernetes")
    assert found.criticality == "high"
    assert found.protected_units == (
        ProtectedUnit("pg*.service", f"{where}:4"),
        ProtectedUnit("vip.service", f"{where}:4"),
    )
    assert found.peers == ("b", "c")
    assert found.parameters == (
        HostParameter("", "window", "1h", f"{where}:6"),
        HostParameter("swap-thrashing", "order", "9", f"{where}:6"),
        HostParameter("swap-thrashing", "fast", "true", f"{where}:6"),
    )


def test_in_ini_they_are_words_or_literals(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts=f"a tags=x,y host_key_sha256={KEY}= runbook_parameters=\"{{'n': 1.5}}\"\n").hosts[
        "a"
    ]
    assert found.tags == ("x", "y")
    assert found.host_key_sha256 == f"SHA256:{KEY}"
    assert [(one.name, one.value) for one in found.parameters] == [("n", "1.5")]


def test_what_one_level_protects_no_other_takes_away(tmp_path: Path) -> None:
    hosts = (
        "[web]\na protected_units=c\n[all:vars]\nprotected_units=a\ntags=all\n[web:vars]\nprotected_units=b\ntags=web\n"
    )
    found = inventory(tmp_path, hosts=hosts).hosts["a"]
    assert [one.pattern for one in found.protected_units] == ["a", "b", "c"]
    assert found.tags == ("web",), "of everything else the nearest level counts, as in Ansible"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("tags: 3", "tags must be a list of words, is the value 3", "tags: [one, another]"),
        ("tags: ['a b']", '"a b" is no tag', "realtime"),
        ("criticality: hgh", 'criticality must be one of low, medium, high, critical, is "hgh"', "did you mean high?"),
        ("host_key_sha256: MD5:aa", '"MD5:aa" is no SHA256 fingerprint', "ssh-keygen -lf"),
        ("protected_units: '*'", "this pattern is every unit", "untouchable"),
        ("protected_units: {a: 1}", "protected_units must be a list of words, is a mapping", ""),
        ("peers: nobody", "peers: no host or group matches 'nobody'", ""),
        ("peers: [[1]]", "peers must be a list of words, is a list", ""),
        ("runbook_parameters: [a]", "runbook_parameters must be a mapping, is a list", "window: 1h"),
        ("runbook_parameters: {a: [1]}", "the parameter a must be one value, is a list", ""),
        ("runbook_parameters: {db_password: x}", "db_password is a secret", "-p NAME=VALUE"),
        ("tags: !vault x", "tags must be a list of words, is encrypted by ansible-vault", ""),
        ("criticality: !mine x", "is not read here", ""),
        ("criticality:", "is empty", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, message: str, hint: str) -> None:
    [told] = problems(tmp_path, hosts="a\nb\n", group_vars__all_yml=f"---\n{line}\n")
    assert told.where == "group_vars/all.yml:2"
    assert message in told.message
    assert hint in told.hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("protected_unit", "protected_units"),
        ("protectd_units", "protected_units"),
        ("critcality", "criticality"),
        ("host_key_sha265", "host_key_sha256"),
        ("runbook_parameter", "runbook_parameters"),
    ],
)
def test_a_misspelt_key_is_told(tmp_path: Path, word: str, meant: str) -> None:
    [told] = problems(tmp_path, hosts=f"a {word}=x\n")
    assert (told.where, told.hint) == ("hosts:1", f"did you mean {meant}?")


def test_variables_of_others_are_no_concern_of_ours(tmp_path: Path) -> None:
    text = (
        "http_port: 80\nprotected_branches: [a]\npeer: x\ncluster: {peers: [1]}\ntags: {Name: x}\nprobe: 1\nnothing:\n"
    )
    found = inventory(tmp_path, hosts="a\n", group_vars__all_yml=text)
    assert found.hosts["a"].tags == (), "labels of a cloud are a mapping"
    assert [one.message for one in found.notes] == ['"peer" is not used']
    assert inventory(tmp_path, hosts="a peers=\n", group_vars__all_yml="peers:\n").hosts["a"].peers == ()
