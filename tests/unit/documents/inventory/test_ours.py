"""The keys that are this engine's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory

from memrunbook.core.host import HostParameter, ProtectedUnit

KEY = "uZb0kRJ1lqgHcmAlxVmTqkkQiLmDXMjPZ5NRXJTd5bU"
NO_PLACE = "is a secret, and an inventory is no place for one"
OURS = f"""\
host_key_sha256: SHA256:{KEY}
tags: [realtime, kubernetes]
criticality: high
site: fra-1
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
    assert found.site == "fra-1"
    assert found.protected_units == (
        ProtectedUnit("pg*.service", f"{where}:5"),
        ProtectedUnit("vip.service", f"{where}:5"),
    )
    assert found.peers == ("b", "c")
    assert found.parameters == (
        HostParameter("", "window", "1h", f"{where}:7"),
        HostParameter("swap-thrashing", "order", "9", f"{where}:7"),
        HostParameter("swap-thrashing", "fast", "true", f"{where}:7"),
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


def test_of_several_levels_the_nearest_says_the_site(tmp_path: Path) -> None:
    hosts = "[web]\na site=a.1_b\nb\n[db]\nc\n[all:vars]\nsite=all\n[web:vars]\nsite=web\n"
    found = inventory(tmp_path, hosts=hosts).hosts
    assert [found[name].site for name in "abc"] == ["a.1_b", "web", "all"]


@pytest.mark.parametrize(
    ("site", "kept"), [("x" * 64, True), ("x" * 65, False), ("-a", False), ("a/b", False), ("ü", False), ("", False)]
)
def test_a_site_is_a_short_word(tmp_path: Path, site: str, *, kept: bool) -> None:
    found = inventory(tmp_path, hosts="a\n", host_vars__a_yml=f"site: '{site}'\n")
    assert found.hosts["a"].site == (site if kept else "")
    assert ["is no site: it is not used" in one.message for one in found.notes] == ([] if kept else [True])


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("tags: 3", "tags must be a list of words, is the value 3: it is not used", "tags: [one, another]"),
        ("tags: ['a b']", '"a b" is no tag: it is not used', "realtime"),
        ("tags: a b c", '"a b c" is no tag: it is not used', "realtime"),
        ("tags: [2024]", "the value 2024 is no tag: it is not used", "realtime"),
        ("tags: [{Key: team, Value: db}]", "a mapping is no tag: it is not used", ""),
        ('tags: "{{ labels }}"', '"{{ labels }}" is no tag: it is not used', ""),
        ("criticality: hgh", 'criticality must be one of low, medium, high, critical, is "hgh"', "did you mean high?"),
        ("criticality: P1", 'is "P1": it is not used', ""),
        ("criticality: !mine x", "is not read here", ""),
        ("criticality:", "is empty", ""),
        ("site: 7", "the value 7 is no site: it is not used", 'as in site: "7"'),
        ("site: {id: 4}", "a mapping is no site: it is not used", "fra-1"),
        ("site: two words", '"two words" is no site: it is not used', "fra-1"),
        ('site: "{{ region }}"', '"{{ region }}" is no site: it is not used', ""),
        ("site: true", "the value True is no site: it is not used", "fra-1"),
        ("site: !vault x", "encrypted by ansible-vault is no site", ""),
        ("critcality: high", '"critcality" is not known: it is not used', "did you mean criticality?"),
        ("peers: [{asn: 65000, ip: 10.0.0.1}]", "peers must be a list of words, is a list: it is not used", ""),
        ("peers: {rtr1: {asn: 65000}}", "peers must be a list of words, is a mapping: it is not used", ""),
        ("peers: [{host: c}]", "peers must be a list of words, is a list: it is not used", ""),
        ("peers: ['10.0.0.9:179', 10.0.0.0/24]", "neither a host nor a group", ""),
        ("peers: ['[fd00::1]:51820', fe80::1%eth0]", "neither a host nor a group", ""),
        ("peers: [6b1f0c2a9d4e8f7061b2c3d4e5f60718]", "neither a host nor a group", ""),
        ("peers: [10.0.0.9]", "neither a host nor a group of the inventory, but 10.0.0.9: it is not used", "names of"),
        ("peers: ['fd00::1', 'vpn.example.com:51820']", "neither a host nor a group", ""),
        ("peers: [dWpiMGtSSjFscWdIY21BbHhWbVRxa2tRaUxtRFhNalA=]", "neither a host nor a group", ""),
    ],
)
def test_what_has_another_shape_is_noted_and_not_used(tmp_path: Path, line: str, message: str, hint: str) -> None:
    found = inventory(tmp_path, hosts="a\nb\n", group_vars__all_yml=f"---\n{line}\n")
    [told] = found.notes
    assert told.where == f"{tmp_path}/group_vars/all.yml:2"
    assert message in told.message
    assert hint in told.hint
    for host in found.hosts.values():
        assert (host.tags, host.criticality, host.site, host.peers, host.refused) == ((), "", "", (), "")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("tags: kubernetes worker", '"kubernetes worker" is no tag', "tags: [kubernetes]"),
        ("tags: quorum member", '"quorum member" is no tag', "tags: [quorum]"),
        ("tags: [cluster_managed db]", '"cluster_managed db" is no tag', "tags: [cluster_managed]"),
        ("tags: [web, {kubernetes: true}]", "a mapping is no tag", "tags: [kubernetes]"),
        ("tags: !vault x", "tags must be a list of words, is encrypted by ansible-vault", ""),
        ("tags: [web, !vault x]", "one of the tags is encrypted by ansible-vault", "plain text"),
        ("tags: [web, '{{ role }}']", 'one of the tags is computed: "{{ role }}"', "write its value out"),
        ("host_key_sha256: MD5:aa", '"MD5:aa" is no SHA256 fingerprint', "ssh-keygen -lf"),
        ("protected_units: '*'", "this pattern is every unit", "untouchable"),
        ("protected_units: {a: 1}", "protected_units must be a list of words, is a mapping", ""),
        ("protected_units: !vault x", "protected_units must be a list of words, is encrypted by ansible-vault", ""),
        ("peers: nobody", "peers: no host or group matches 'nobody'", "runbook hosts"),
        ("peers: [b, c]", "peers: no host or group matches 'c'", ""),
        ("peers: [db1, db2]", "peers: no host or group matches 'db1'", "runbook hosts"),
        ("peers: [cafe2]", "peers: no host or group matches 'cafe2'", ""),
        ("peers: [{host: b}]", "peers must be a list of words, is a list", ""),
        ("peers: {b: {weight: 1}}", "peers must be a list of words, is a mapping", ""),
        ("peers: ['host-bb:5432']", "peers: no host or group matches 'host-bb:5432'", "did you mean host-b?"),
        ("peers: [host-bb]", "peers: no host or group matches 'host-bb'", "did you mean host-b?"),
        ("runbook_parameters: [a]", "runbook_parameters must be a mapping, is a list", "window: 1h"),
        ("runbook_parameters: {a: [1]}", "the parameter a must be one value, is a list", ""),
        (
            "runbook_parameters: {db_password: x}",
            "db_password is a secret, and an inventory is no place for one",
            "-p NAME=VALUE",
        ),
        ("protected_unit: x", '"protected_unit" is not known', "did you mean protected_units?"),
        ("protectd_units: x", '"protectd_units" is not known', "did you mean protected_units?"),
        ("host_key_sha265: x", '"host_key_sha265" is not known', "did you mean host_key_sha256?"),
        ("runbook_parameter: x", '"runbook_parameter" is not known', "did you mean runbook_parameters?"),
    ],
)
def test_what_may_say_who_must_not_be_touched_refuses_that_host_alone(
    tmp_path: Path, line: str, message: str, hint: str
) -> None:
    found = inventory(tmp_path, hosts="a\nb\nhost-b\n", host_vars__a_yml=f"---\n{line}\n")
    assert found.hosts["a"].refused == f"{message} ({tmp_path}/host_vars/a.yml:2)"
    assert hint in found.hosts["a"].hint
    assert found.hosts["b"].refused == ""
    assert found.notes == ()


def test_the_line_that_says_how_a_host_is_reached_is_told_first(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts="a ansible_port=x protected_units=* peers=nobody\n").hosts["a"]
    assert found.refused.startswith("ansible_port must be a port")


def test_variables_of_others_are_no_concern_of_ours(tmp_path: Path) -> None:
    text = (
        "http_port: 80\nprotected_branches: [a]\npeer: x\ncluster: {peers: [1]}\ntags: {Name: x}\nprobe: 1\nnothing:\n"
    )
    found = inventory(tmp_path, hosts="a\n", group_vars__all_yml=text)
    assert found.hosts["a"].tags == (), "labels of a cloud are a mapping"
    assert [one.message for one in found.notes] == ['"peer" is not used']
    assert inventory(tmp_path, hosts="a peers=\n", group_vars__all_yml="peers:\n").hosts["a"].peers == ()


def test_the_good_tags_of_a_list_count_whatever_stands_beside_them(tmp_path: Path) -> None:
    found = inventory(tmp_path, hosts="a\n", group_vars__all_yml="tags: [kubernetes, 2024, web]\n")
    assert (found.hosts["a"].tags, found.hosts["a"].refused) == (("kubernetes", "web"), "")
    assert [one.message for one in found.notes] == ["the value 2024 is no tag: it is not used"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("tags: [kubernetes, 2024]", 'tags: ["2024"]'),
        ("tags: [{team: db}]", "tags: [db]"),
        ("tags: the db team", "tags: [db]"),
    ],
)
def test_what_may_be_a_tag_of_config_yaml_refuses(tmp_path: Path, line: str, hint: str) -> None:
    found = inventory(tmp_path, ruling=frozenset({"2024", "db"}), hosts="a\nb\n", host_vars__a_yml=f"{line}\n")
    assert "is no tag" in found.hosts["a"].refused
    assert found.hosts["a"].hint == f"as in {hint}"
    assert found.hosts["b"].refused == ""


def test_a_peer_may_be_named_by_its_address(tmp_path: Path) -> None:
    hosts = "a peers=10.0.0.11\nb ansible_host=10.0.0.11\nc ansible_host=10.0.0.12\nd ansible_host=10.0.0.12\n"
    assert inventory(tmp_path, hosts=hosts).hosts["a"].peers == ("b",)
    twice = inventory(tmp_path, hosts=hosts.replace("peers=10.0.0.11", "peers=10.0.0.12")).hosts["a"]
    assert twice.refused, "two hosts have it: which is meant?"
