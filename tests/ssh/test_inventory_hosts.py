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
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.target import find_target
from memrunbook.transports.ssh import SshConnector

OTHER = "SHA256:" + "A" * 43


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
    assert target.identities[:3] == (Path("/typed"), Path("/of/inventory"), Path("/of/config"))
    assert [hop.address for hop in target.way] == ["gate", "10.0.0.7"]
    assert (options.of(host).sudo, options.of(structs.replace(host, sudo="")).sudo) == ("never", "auto")
    assert find_target(structs.replace(host, port=22), options).port == 22


def test_a_pinned_key_needs_no_other_file_and_no_other_key_will_do(openssh: Sshd) -> None:
    options = replace(openssh.options, known_hosts=(openssh.folder / "nothing",), accept_new=True)
    pinned = structs.replace(openssh.host, host_key_sha256=f"{OTHER},{openssh.fingerprint()}")
    SshConnector(pinned, options).connect().close()
    assert not (openssh.folder / "nothing").exists(), "what is pinned is not remembered elsewhere"
    other = structs.replace(openssh.host, host_key_sha256=OTHER)
    with pytest.raises(HostKeyError, match="NOT THE ONE OF THE INVENTORY") as refused:
        SshConnector(other, options).connect()
    assert openssh.fingerprint() in refused.value.message
    assert "host_key_sha256" in refused.value.message


@pytest.mark.parametrize("connector", [SshConnector, OpensshConnector])
def test_both_clients_go_where_the_inventory_says(
    openssh: Sshd, connector: type[SshConnector | OpensshConnector], own_home: Path
) -> None:
    host = Host(
        "search-03",
        openssh.user,
        address="127.0.0.1",
        identities=(str(openssh.folder / "id"),),
        ssh_args=("-p", str(openssh.port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
        host_key_sha256=openssh.fingerprint(),
    )
    options = replace(openssh.options, identities=(), known_hosts=())
    connector(host, options).connect().close()
    with pytest.raises(HostKeyError):
        connector(structs.replace(host, host_key_sha256=""), options).connect()


def test_root_is_demanded_or_left_alone_as_the_inventory_says(server: Server) -> None:
    with pytest.raises(SudoError):
        SshConnector(structs.replace(server.host, sudo="always"), server.options).connect()
    session = SshConnector(structs.replace(server.host, sudo="never"), replace(server.options, sudo="always")).connect()
    session.close()
    assert not any("sudo" in command for command in server.commands[-1:])
