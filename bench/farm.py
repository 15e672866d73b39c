"""A farm of OpenSSH servers on loopback addresses: many hosts to measure with, on one machine.

All that it writes is in one temporary folder, which goes with it; but for /run/sshd, an empty folder that sshd wants
where it runs as root. The hosts' home is there too: no start-up file of this machine's shell is measured.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import sshd

NEEDED = {
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "xargs": "findutils",
}
"""Each program, and the Debian package that has it."""
PER_BLOCK = 250
"""Hosts in 127.0.1.1 to 127.0.1.250, then in 127.0.2.1 to …"""
MOST_ADDRESSES = 16
"""An sshd listens at no more addresses than this."""
MOST_SERVERS = 200
END_SECONDS = 10.0
APART = Path(__file__).with_name("apart.sh")
"""Becomes a server that is taken for a machine of its own, in a mount namespace."""
CLIENT = """\
Host 127.0.*
  User {user}
  Port {port}
  IdentityFile {folder}/id
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  KexAlgorithms curve25519-sha256
  BatchMode yes
"""


@dataclass(frozen=True)
class Farm:
    """Running servers. `servers` are their process ids; `addresses` may be more: then one server has several names."""

    folder: Path
    port: int
    addresses: tuple[str, ...]
    servers: tuple[int, ...]

    @property
    def config(self) -> Path:
        """The configuration by which OpenSSH's client, or `runbook`, reaches every host by its address."""
        return self.folder / "config"

    def options(self, hosts: int) -> list[str]:
        """What `runbook` needs to reach the first so many hosts."""
        return [f"--host={','.join(self.addresses[:hosts])}", f"--ssh-config={self.config}"]


def missing() -> str:
    """What this machine lacks for a farm and how to get it; empty where nothing is missing."""
    lacking = [name for name in NEEDED if not (sshd.SSHD if name == "sshd" else shutil.which(name))]
    packages = dict.fromkeys(NEEDED[name] for name in lacking)
    return f"{', '.join(lacking)}: not installed; on Debian: apt-get install {' '.join(packages)}" if lacking else ""


def can_be_apart() -> bool:
    """Whether servers can have a /run of their own here: for root, where namespaces are allowed."""
    with tempfile.TemporaryDirectory(prefix="farm-") as home:
        words = ["unshare", "--mount", "sh", str(APART), home, "true"]
        try:
            return subprocess.run(words, check=False, capture_output=True, timeout=END_SECONDS).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def addresses(hosts: int) -> tuple[str, ...]:
    """The loopback addresses of so many hosts."""
    return tuple(f"127.0.{1 + number // PER_BLOCK}.{1 + number % PER_BLOCK}" for number in range(hosts))


def shares(names: Sequence[str], servers: int) -> list[tuple[str, ...]]:
    """Which of the addresses each server listens at: in turn, so that neighbours are different servers."""
    return [tuple(names[number::servers]) for number in range(servers)]


@contextmanager
def running(hosts: int, servers: int = 0, *, apart: bool = False) -> Iterator[Farm]:
    """Starts so many servers (0: one a host, at most 200) and ends them, and what still runs on them.

    `apart` gives each what a run needs to take it for a host of its own (`APART`); it needs root.

    SystemExit says what is missing; ValueError for more addresses than the servers can listen at.
    """
    if lack := missing():
        raise SystemExit(lack)
    count = min(hosts, servers or MOST_SERVERS)
    if hosts > count * MOST_ADDRESSES:
        raise ValueError(f"{count} servers can have at most {count * MOST_ADDRESSES} addresses")
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="farm-") as name:
        try:
            yield _start(Path(name), shares(addresses(hosts), count), started, apart=apart)
        finally:
            end(started)


def _start(folder: Path, listen: list[tuple[str, ...]], started: list[subprocess.Popen[bytes]], *, apart: bool) -> Farm:
    """Starts a server for each share of the addresses; `started` grows as they start, so that each can be ended."""
    port = sshd.free_port("")
    sshd.make_key(folder / "id")
    (folder / "authorized").write_bytes((folder / "id.pub").read_bytes())
    client = CLIENT.format(user=getpass.getuser(), port=port, folder=folder)
    (folder / "config").write_text(client, encoding="ascii")
    homes = [folder / f"server-{number:03}" for number in range(1, len(listen) + 1)]
    for home, share in zip(homes, listen, strict=True):
        home.mkdir()
        sshd.make_key(home / "host")
        lines = sshd.settings(home / "host", folder / "authorized", port, share)
        within = ["unshare", "--mount", "sh", str(APART), str(home)] if apart else []
        started.append(
            sshd.start(
                home, [*lines, "MaxStartups 1000", "Subsystem sftp internal-sftp", f"SetEnv HOME={home}"], within
            )
        )
    with (folder / "known_hosts").open("w", encoding="ascii") as known:
        for home, share, server in zip(homes, listen, started, strict=True):
            known.writelines(f"[{address}]:{port} {sshd.public(home / 'host.pub')}\n" for address in share)
            sshd.wait_for(share[0], port, server, home / "sshd.log")
    return Farm(folder, port, addresses(sum(map(len, listen))), tuple(server.pid for server in started))


def end(servers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends servers and, since sessions outlive their server, what descends from them: each by its process id."""
    sessions = descendants(server.pid for server in servers)
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait(END_SECONDS)
    for pid in sessions:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while alive(sessions) and time.monotonic() < deadline:
        time.sleep(0.02)


def alive(pids: Iterable[int]) -> set[int]:
    """Those of these processes that run: one that ended counts as gone, reaped or not."""
    return set(pids) & {pid for _, pid in living()}


def descendants(pids: Iterable[int]) -> list[int]:
    """The living processes that descend from these, those that ended and are not reaped apart."""
    children: dict[int, list[int]] = {}
    for parent, pid in living():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    ahead = list(pids)
    while ahead:
        below = children.get(ahead.pop(), [])
        found += below
        ahead += below
    return found


def living() -> Iterator[tuple[int, int]]:
    """Parent and process id of every process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # A name may hold anything: what counts is behind the last parenthesis.
            state, parent = path.read_bytes().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                yield int(parent), int(path.parent.name)
