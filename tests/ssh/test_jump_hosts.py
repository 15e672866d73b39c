"""Many hosts behind one sshd that turns away who comes in a crowd, as OpenSSH's does by default."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.net import Net, Way
from tests.sshd import free_port, public, running

from memrunbook.core.errors import HostError, HostKeyError, Unreachable
from memrunbook.core.host import Host
from memrunbook.runtime.ports import Session
from memrunbook.transports.shared.doors import MOST
from memrunbook.transports.shared.ssh_options import SshOptions, Timeouts

HOSTS = 30
PATIENT = Timeouts(tcp=60.0, banner=120.0, login=120.0, channel=120.0)
BEHIND = "Host web*\n HostName 127.0.0.1\n Port {inner}\n "
GATE = "Host gate\n HostName 127.0.0.1\n Port {outer}\n"
WAYS = {
    "a jump host": BEHIND + "ProxyJump gate\n" + GATE,
    "two jump hosts": BEHIND + "ProxyJump gate,second\nHost second\n HostName 127.0.0.1\n Port {inner}\n" + GATE,
    "a server of many names": BEHIND + "User {user}\n",
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """Servers whose shells read no start-up file of this machine: a crowd of those is slow."""
    one, other = (tmp_path_factory.mktemp(name) for name in ("inner", "outer"))
    with running(one, f"SetEnv HOME={one}") as inner, running(other, f"SetEnv HOME={other}") as outer:
        (other / "authorized").write_bytes((one / "id.pub").read_bytes())
        yield Net(inner, outer)


def _connected(way: Way, options: SshOptions, names: list[str]) -> list[Session | HostError]:
    def connected(name: str) -> Session | HostError:
        try:
            return way(Host(name=name), options).connect()
        except HostError as error:
            return error

    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(connected, names))


def _all_are_reached(way: Way, options: SshOptions) -> None:
    found = _connected(way, options, [f"web{number}" for number in range(HOSTS)])
    sessions = [one for one in found if not isinstance(one, HostError)]
    try:
        assert [str(one) for one in found if isinstance(one, HostError)] == []
    finally:
        for one in sessions:
            one.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_a_crowd_is_reached_whole(net: Net, way: Way, text: str) -> None:
    net.configure(text.replace("{user}", net.inner.user))
    _all_are_reached(way, replace(net.options, timeouts=PATIENT))


@pytest.mark.timeout(600)
def test_a_jump_host_with_less_room_than_usual(net: Net, way: Way, tmp_path: Path) -> None:
    with running(tmp_path, "MaxStartups 3:100:3", f"SetEnv HOME={tmp_path}") as gate:
        (tmp_path / "authorized").write_bytes((net.folder / "id.pub").read_bytes())
        with (net.folder / "known_hosts").open("a", encoding="ascii") as known:
            known.write(f"[127.0.0.1]:{gate.port} {public(tmp_path / 'host.pub')}\n")
        net.configure(WAYS["a jump host"].replace("{outer}", str(gate.port)))
        _all_are_reached(way, replace(net.options, timeouts=PATIENT))


@contextmanager
def _mute() -> Iterator[int]:
    """A port that accepts and never says anything."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(100)
        yield door.getsockname()[1]


def test_a_mute_jump_host_costs_all_behind_it_one_deadline_and_nobody_else_any(net: Net, way: Way) -> None:
    direct = "\nHost direct\n HostName 127.0.0.1\n Port {inner}\n"
    times = Timeouts(tcp=30.0, banner=4.0, login=60.0, channel=60.0, configuration=60.0)
    with _mute() as port:
        net.configure(WAYS["a jump host"].replace("{outer}", str(port)) + direct)
        options = replace(net.options, timeouts=times)
        began = time.monotonic()
        *found, reached = _connected(way, options, [*(f"web{number}" for number in range(20)), "direct"])
        took = time.monotonic() - began
    assert not isinstance(reached, HostError), reached
    reached.close()
    words = f"the jump host gate (127.0.0.1:{port}): TCP accepts, no SSH banner in "
    assert all(isinstance(one, Unreachable) and one.message.startswith(words) for one in found), found
    assert took < 2 * (times.tcp + times.banner)


def test_hosts_that_are_down_behind_a_command_are_not_the_others_behind_it(net: Net, way: Way) -> None:
    down = "ProxyCommand sh -c 'case %n in down*) sleep 1.5; exit 1;; esac; exec busybox nc %h %p'"
    net.configure(f"Host web* down*\n HostName 127.0.0.1\n Port {{inner}}\n {down}\n")
    options = replace(net.options, timeouts=PATIENT)
    names = [f"{kind}{number}" for kind in ("down", "web") for number in range(MOST)]
    found = _connected(way, options, names)
    for one in found:
        if not isinstance(one, HostError):
            one.close()
    assert [name for name, one in zip(names, found, strict=True) if isinstance(one, HostError)] == names[:MOST]


def test_what_is_wrong_at_the_jump_host_is_told_of_it(net: Net, way: Way) -> None:
    refused = free_port()
    net.configure(WAYS["a jump host"].replace("{outer}", str(refused)))
    with pytest.raises(Unreachable) as down:
        net.reach("web1", way)
    assert down.value.message == (
        f"the jump host gate (127.0.0.1:{refused}): the connection was refused: nothing listens at TCP port {refused}"
    )
    assert down.value.hint == "the jump host is up; is sshd running, and is this its port?"
    net.configure(WAYS["a jump host"])
    lines = (net.folder / "known_hosts").read_text(encoding="ascii").splitlines(keepends=True)
    (net.folder / "known_hosts").write_text("".join(one for one in lines if str(net.outer.port) not in one))
    with pytest.raises(HostKeyError) as unknown:
        net.reach("web1", way)
    shown = net.outer.fingerprint()
    gate = f"the jump host gate (127.0.0.1:{net.outer.port})"
    assert unknown.value.message == f"{gate}: the host key is not known: ssh-ed25519 {shown}"
    assert f"or run: ssh-keyscan -t ed25519 -p {net.outer.port} 127" in unknown.value.hint
