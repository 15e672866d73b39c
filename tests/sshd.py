"""OpenSSH's own server on 127.0.0.1, with keys and files of its own; for any test that needs a real host."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from memrunbook.core.host import Host
from memrunbook.transports.shared.ssh_options import SshOptions, Timeouts

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
MISSING = "OpenSSH's sshd and ssh-keygen are not installed here"
QUICK = Timeouts(tcp=2.0, banner=1.0, login=10.0, channel=10.0)


@dataclass(frozen=True)
class Sshd:
    """A running server. `arguments` are what the command line needs to reach it."""

    folder: Path
    port: int
    user: str

    @property
    def host(self) -> Host:
        return Host(name="127.0.0.1", user=self.user, port=self.port)

    @property
    def options(self) -> SshOptions:
        return SshOptions(
            identities=(self.folder / "id",),
            known_hosts=(self.folder / "known_hosts",),
            ssh_config=self.folder / "config",
            timeouts=replace(QUICK, banner=10.0),
        )

    @property
    def arguments(self) -> list[str]:
        return [
            f"--host={self.user}@127.0.0.1:{self.port}",
            f"--identity={self.folder / 'id'}",
            f"--known-hosts={self.folder / 'known_hosts'}",
            f"--ssh-config={self.folder / 'config'}",
        ]

    def fingerprint(self) -> str:
        """The host key's fingerprint as ssh-keygen tells it."""
        words = ["ssh-keygen", "-l", "-f", str(self.folder / "host.pub")]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[1]


def make_key(path: Path, *, passphrase: str = "") -> None:
    """An Ed25519 key pair."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True)


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port of this address at which nothing listens; "" stands for all addresses."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def can_run() -> bool:
    """True when this machine has what it takes."""
    return bool(SSHD and shutil.which("ssh-keygen"))


@contextmanager
def running(folder: Path, *lines: str) -> Iterator[Sshd]:
    """A server in `folder`, with these lines in its configuration; the client's known_hosts file knows it already."""
    for name in ("host", "id"):
        make_key(folder / name)
    port = free_port()
    (folder / "authorized").write_bytes((folder / "id.pub").read_bytes())
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public(folder / 'host.pub')}\n", encoding="ascii")
    (folder / "config").touch()
    server = start(folder, [*lines, *settings(folder / "host", folder / "authorized", port, ["127.0.0.1"])])
    try:
        wait_for("127.0.0.1", port, server, folder / "sshd.log")
        yield Sshd(folder, port, getpass.getuser())
    finally:
        server.terminate()
        server.wait(10)


def start(folder: Path, lines: Sequence[str], within: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Starts a server with this configuration; it is written into `folder`, as is `sshd.log`.

    `within` are the words of a command that becomes the server, as in `unshare --mount`.
    """
    (folder / "sshd_config").write_text("\n".join(lines) + "\n", encoding="ascii")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "sshd.log").open("wb") as log:
        words = [*within, str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def settings(host_key: Path, authorized: Path, port: int, addresses: Iterable[str]) -> list[str]:
    """The lines of sshd_config for a server that lets only this key in."""
    return [
        f"Port {port}",
        *(f"ListenAddress {address}" for address in addresses),
        f"HostKey {host_key}",
        f"AuthorizedKeysFile {authorized}",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PidFile none",
        "PrintMotd no",
    ]


def public(path: Path) -> str:
    """Type and key of a public key's file, as known_hosts wants them."""
    return " ".join(path.read_text(encoding="ascii").split()[:2])


def wait_for(address: str, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until it answers there; RuntimeError with its log where it does not start."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("sshd did not start: " + log.read_text(errors="replace"))
