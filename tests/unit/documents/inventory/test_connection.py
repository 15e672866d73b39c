"""Ansible's connection variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, write

from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.documents.inventory.reading import read_inventory
from memrunbook.transports.shared.program import answer_of


def host(folder: Path, line: str, name: str = "web1") -> Host:
    found = inventory(folder, hosts=f"{name} {line}\n")
    return found.hosts[name]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ansible_host=192.0.2.1", "address", "192.0.2.1"),
        ("ansible_host=[2001:db8::1]", "address", "2001:db8::1"),
        ("ansible_host=a ansible_ssh_host=b", "address", "b"),
        ("ansible_port=2222", "port", 2222),
        ("ansible_port='2222'", "port", 2222),
        ("ansible_port=", "port", 0),
        ("ansible_user=ops", "user", "ops"),
        ("ansible_user=a ansible_ssh_user=b", "user", "b"),
        ("ansible_become=yes", "sudo", "always"),
        ("ansible_become=true ansible_become_method=sudo ansible_become_user=root", "sudo", "always"),
        ("ansible_become=False ansible_become_user=postgres", "sudo", "never"),
        ("ansible_become=", "sudo", ""),
        (
            "ansible_ssh_common_args='-o A=b -J gate' ansible_ssh_extra_args=-4",
            "ssh_args",
            ("-o", "A=b", "-J", "gate", "-4"),
        ),
        ("ansible_connection=ssh", "transport", "ssh"),
        ("ansible_connection=smart ansible_python_interpreter=/usr/bin/python3", "transport", "ssh"),
        ("ansible_host='{{ inventory_hostname }}.example.com'", "address", "web1.example.com"),
        ("ansible_host='{{short}}-{{ n }}' short='{{ inventory_hostname_short }}' n=5", "address", "web1-5"),
        ("ansible_host='{{ inventory_hostname_short }}'", "address", "web1"),
    ],
)
def test_what_a_variable_says(tmp_path: Path, line: str, field: str, value: object) -> None:
    found = host(tmp_path, line)
    assert found.refused == ""
    assert getattr(found, field) == value


def test_keys_are_found_at_home_beside_the_inventory_or_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"home/id": "", "keys/id": "", "here/own": ""})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    for word, path in {
        "~/id": "home/id",
        "keys/id": "keys/id",
        "own": "here/own",
        "'{{ inventory_dir }}/keys/id'": "keys/id",
        """"{{ lookup('env', 'HOME') }}/id\"""": "home/id",
        "/no/such": "/no/such",
    }.items():
        assert host(tmp_path, f"ansible_ssh_private_key_file={word}").identities == (str(tmp_path / path),)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ansible_port=ssh", "ansible_port must be a port from 1 to 65535, is ssh"),
        ("ansible_port=True", "ansible_port must be a port"),
        ("ansible_user='a b'", "ansible_user must be a word, is a b"),
        ("ansible_host=-oProxyCommand=x", "ansible_host must be a word"),
        ("ansible_host=[1]", "ansible_host must be a word"),
        ("ansible_become=perhaps", "ansible_become must be yes or no, is perhaps"),
        ("ansible_become=yes ansible_become_method=su", "ansible_become_method must be sudo"),
        ("ansible_become=yes ansible_become_user=postgres", "ansible_become_user must be root"),
        ("ansible_ssh_private_key_file=[1]", "must be a path"),
        ("ansible_ssh_common_args=[1]", "must be words of a command line"),
        ("""ansible_ssh_common_args='-o "a'""", "has a quote that is never closed"),
        ("ansible_connection=winrm", "ansible_connection is winrm"),
        ("ansible_connection=local", "ansible_connection is local"),
        ("ansible_shell_type=powershell", "ansible_shell_type is powershell"),
        ("ansible_host='{{ groups.web[0] }}'", "ansible_host is computed by {{ groups.web[0] }}"),
        ("ansible_host='{% if x %}a{% endif %}'", "ansible_host is computed by a template"),
        ("ansible_host='{{ a }}' a='{{ b }}' b='{{ a }}'", "is computed by"),
        ("ansible_host=$ANSIBLE_VAULT;1.1", "ansible_host is encrypted by ansible-vault"),
    ],
)
def test_what_cannot_be_honoured_refuses_that_host_alone(tmp_path: Path, line: str, why: str) -> None:
    found = inventory(tmp_path, hosts=f"web1 {line}\nweb2\n")
    refused = found.hosts["web1"]
    assert why in refused.refused
    assert f"({tmp_path}/hosts:1)" in refused.refused, "the line is named"
    assert refused.hint
    assert not found.hosts["web2"].refused


def test_this_machine_is_worked_on_under_its_own_name(tmp_path: Path) -> None:
    found = host(tmp_path, "ansible_connection=local ansible_become=no", "localhost")
    assert (found.name, found.transport, found.sudo, found.typed) == ("local", "local", "never", "local")


def test_what_is_not_used_is_noted(tmp_path: Path) -> None:
    line = "a ansible_password=x ansible_become_pass=y ansible_ssh_host_key_checking=no "
    found = inventory(tmp_path, hosts=f"{line} ansible_ssh_common_args='-o StrictHostKeyChecking=no'\n")
    assert [one.message for one in found.notes] == [
        "ansible_password is not used",
        "ansible_become_pass is not used",
        "ansible_ssh_host_key_checking is not used",
        "StrictHostKeyChecking in ansible_ssh_common_args is not used",
    ]
    assert not found.hosts["a"].refused


def test_words_for_ssh_that_are_not_accepted_refuse_the_host_with_their_line(tmp_path: Path) -> None:
    def accepts(words: tuple[str, ...]) -> None:
        if "-W" in words:
            raise UsageError("the inventory has -W for ssh", hint="without it")

    write(tmp_path, {"hosts": "a ansible_ssh_common_args='-W a:22'\nb ansible_ssh_common_args='-J gate'\n"})
    found = read_inventory([str(tmp_path / "hosts")], answer_of, accepts=accepts).hosts
    assert found["a"].refused == f"the inventory has -W for ssh ({tmp_path}/hosts:1)"
    assert found["a"].hint == "without it"
    assert (found["b"].refused, found["b"].ssh_args) == ("", ("-J", "gate"))
