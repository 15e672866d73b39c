"""The farm of `bench/`: servers that answer, each with a key of its own, and nothing is left of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from bench import farm
from bench.meter import HostMeter, TreeMeter, hosts_of, measured
from tests import sshd

HERE = farm.missing()
needs_servers = pytest.mark.skipif(bool(HERE), reason=HERE or "nothing is missing")


def ssh(running: farm.Farm, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["ssh", "-F", str(running.config), address, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_servers
def test_three_servers_answer_and_are_gone_afterwards() -> None:
    with farm.running(3) as running:
        assert len(set(running.servers)) == 3
        answers = [ssh(running, address, "true") for address in running.addresses]
        assert [answer.returncode for answer in answers] == [0, 0, 0], answers
        known = (running.folder / "known_hosts").read_text().splitlines()
        assert len({line.split()[-1] for line in known}) == 3
        servers = running.servers
    assert not farm.alive(servers)
    assert not running.folder.exists()


@needs_servers
def test_a_session_that_is_still_open_ends_with_the_farm() -> None:
    with ExitStack() as stack:
        running = stack.enter_context(farm.running(1))
        client = subprocess.Popen(
            ["ssh", "-F", str(running.config), running.addresses[0], "echo $$; exec sleep 600"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert client.stdout
        pid = int(client.stdout.readline())
        assert pid in farm.descendants(running.servers)
        assert farm.alive([pid])
        stack.close()
        assert client.wait(30) != 0
        client.stdout.close()
    assert not farm.alive([pid])


@contextmanager
def tree_of(servers: Sequence[int]) -> Iterator[HostMeter]:
    yield TreeMeter(servers)


@needs_servers
@pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces need root")
def test_hosts_that_stand_apart_are_changed_one_by_one() -> None:
    knob, mine = "/proc/sys/vm/page-cluster", "/run/mine; echo 0 >/proc/sys/vm/page-cluster"
    before = Path(knob).read_text()
    with farm.running(2, apart=True) as running:
        one, other = running.addresses
        ids = {ssh(running, address, "cat /proc/sys/kernel/random/boot_id").stdout for address in (one, other)}
        assert len(ids) == 2
        assert Path("/proc/sys/kernel/random/boot_id").read_text() not in ids
        assert ssh(running, one, f"touch {mine}; cat {knob}").stdout == "0\n"
        assert ssh(running, other, f"ls /run/mine; cat {knob}").stdout == before
    assert Path(knob).read_text() == before
    assert not Path("/run/mine").exists()


@needs_servers
@pytest.mark.parametrize("meter_of", [hosts_of, tree_of])
def test_the_work_of_hosts_is_counted(
    meter_of: Callable[[Sequence[int]], AbstractContextManager[HostMeter]], tmp_path: Path
) -> None:
    with farm.running(2) as running, meter_of(running.servers) as meter:
        command = ["ssh", "-F", str(running.config), running.addresses[1]]
        busy = "n=0; while [ $n -lt 300000 ]; do n=$((n + 1)); done"
        idle, at_work = (measured([*command, words], tmp_path / "o", meter=meter) for words in ("true", busy))
        assert meter.quiet()
    assert 0 <= idle.host_cpu < at_work.host_cpu
    assert at_work.host_cpu > at_work.cpu


def test_more_hosts_than_servers_have_several_names_for_one() -> None:
    names = farm.addresses(600)
    assert names[:2] == ("127.0.1.1", "127.0.1.2")
    assert names[250] == "127.0.2.1"
    assert farm.shares(names[:5], 2) == [("127.0.1.1", "127.0.1.3", "127.0.1.5"), ("127.0.1.2", "127.0.1.4")]


def test_what_is_missing_is_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd, "SSHD", None)
    assert "sshd: not installed" in farm.missing() or "sshd, " in farm.missing()
    assert "openssh-server" in farm.missing()
    with pytest.raises(SystemExit, match="openssh-server"), farm.running(1):
        pass


@needs_servers
def test_a_server_has_no_more_names_than_it_can_listen_at() -> None:
    with pytest.raises(ValueError, match="1 servers can have at most 16 addresses"), farm.running(17, servers=1):
        pass
