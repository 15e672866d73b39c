"""A jump host is named as what it is, in whatever is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memrunbook.core.errors import HostError, HostKeyError, LoginError, Unreachable
from memrunbook.transports.shared import patience
from memrunbook.transports.shared.known_hosts import KnownHosts
from memrunbook.transports.shared.ssh_settings import HostSettings
from memrunbook.transports.shared.target import Target, through

GATE = Target("gate (jump host of web)", "192.0.2.1", 22, "ada", (), HostSettings(), called="gate", jump_of="web")
SECOND = replace(GATE, where="10.0.0.2 (jump host of web)", address="10.0.0.2", called="10.0.0.2", via=GATE)
WEB = Target("web", "10.0.0.7", 2222, "ada", (), HostSettings(), via=SECOND)
UNKNOWN = KnownHosts([]).fault("192.0.2.1", "ssh-ed25519", "SHA256:x", "ssh-keyscan -t KIND -p 22 192.0.2.1")
TOLD: dict[str, tuple[HostError, str, str]] = {
    "refused": (
        patience.closed_port("gate", 22),
        "the connection was refused: nothing listens at TCP port 22",
        "the jump host is up; is sshd running, and is this its port?",
    ),
    "silent": (patience.silent("gate", 20), "TCP accepts, no SSH banner in 20 s: it may be thrashing", "its console"),
    "a login": (LoginError("the host refused ada with 1 key: k"), "it refused ada with 1 key: k", ""),
    "a key": (UNKNOWN, "the host key is not known: ssh-ed25519 SHA256:x", "fingerprint on the jump host's console"),
    "turned away": (patience.hung_up("gate"), "it closed the connection before its SSH banner", "MaxStartups"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "words", "hint"), TOLD.values(), ids=TOLD)
def test_an_error_at_a_jump_host_names_it(error: HostError, words: str, hint: str) -> None:
    told = GATE.told(error)
    assert type(told) is type(error)
    assert told.message == f"the jump host gate (192.0.2.1:22): {words}"
    assert hint in told.hint
    assert (told.where, told.stage) == ("web", "jump host")
    assert SECOND.told(told) is told


def test_an_error_at_the_host_itself_is_left_alone() -> None:
    error = HostKeyError("the host key is not known", where="web")
    assert WEB.told(error) is error
    assert not error.stage


def test_who_could_not_connect_and_to_what() -> None:
    error = WEB.unconnected("Name or service not known")
    assert error.message == (
        "the jump host 10.0.0.2:22 could not connect to 10.0.0.7 port 2222: Name or service not known"
    )
    assert error.stage == "TCP"
    assert isinstance(error, Unreachable)


def test_where_connections_arrive() -> None:
    assert GATE.door("203.0.113.5") == "203.0.113.5:22"
    assert WEB.door() == "10.0.0.7:2222 behind 10.0.0.2:22 behind 192.0.2.1:22"
    command = replace(GATE, settings=HostSettings(beyond=("ProxyCommand ssh -W %h:%p bastion",)))
    assert command.door() == "ProxyCommand ssh -W %h:%p bastion"
    assert through(WEB.way[:-1]) == "gate (192.0.2.1:22), then 10.0.0.2:22"
    assert replace(GATE, address="2001:db8::1").label == "gate ([2001:db8::1]:22)"
