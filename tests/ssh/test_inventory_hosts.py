"""Hosts of an inventory: what it says of the way to them, beside the options and the ssh configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from tests.ssh.servers import Server
from tests.sshd import Sshd

from memrunbook.core.errors import HostKeyError, SudoError
from memrunbook.core.host import Host
from memrunbook.transports.ssh import SshConnector, SshOptions, find_target


def test_ssh_is_asked_for_the_address_as_ansible_does(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host web01\n  User wrong\nHost 10.0.0.7\n  Port 2200\n  IdentityFile /of/config\n", encoding="utf-8"
    )
    options = SshOptions(ssh_config=config, identities=(Path("/typed"),), sudo="auto")
    host = Host(
        "web01", "ops", address="10.0.0.7", identities=("/of/inventory",), ssh_args=("-J", "gate"), sudo="never"
    )
    target = find_target(host, options)
    assert (target.where, target.address, target.user, target.port) == ("web01", "10.0.0.7", "ops", 2200)
    assert target.identities == (Path("/typed"), Path("/of/inventory"), Path("/of/config"))
    assert (target.jump, target.sudo) == ("gate", "never")
    assert find_target(structs.replace(host, sudo="", port=22), options).sudo == "auto"
    assert find_target(structs.replace(host, port=22), options).port == 22


def test_a_pinned_key_needs_no_other_file_and_no_other_key_will_do(openssh: Sshd) -> None:
    options = replace(openssh.options, known_hosts=(openssh.folder / "nothing",), accept_new=True)
    pinned = structs.replace(openssh.host, host_keys=("SHA256:" + "A" * 43, openssh.fingerprint()))
    SshConnector(pinned, options).connect().close()
    assert not (openssh.folder / "nothing").exists(), "what is pinned is not remembered elsewhere"
    other = structs.replace(openssh.host, host_keys=("SHA256:" + "A" * 43,))
    with pytest.raises(HostKeyError, match="NOT THAT OF THE INVENTORY") as refused:
        SshConnector(other, options).connect()
    assert openssh.fingerprint() in refused.value.message
    assert "host_key_sha256" in refused.value.hint


def test_root_is_demanded_or_left_alone_as_the_inventory_says(server: Server) -> None:
    with pytest.raises(SudoError):
        SshConnector(structs.replace(server.host, sudo="always"), server.options).connect()
    session = SshConnector(structs.replace(server.host, sudo="never"), replace(server.options, sudo="always")).connect()
    session.close()
    assert not any("sudo" in command for command in server.commands[-1:])
