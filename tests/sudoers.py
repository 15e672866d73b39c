"""A user with a real sudo that asks for a password: in a mount namespace of the server's own, gone when it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import tests.sshd
from tests.sshd import MISSING, Sshd, can_run, running

USER = "helper"
PASSWORD = "Qz7-plantedSudo%42"
UID = 4242
# Files of /etc that exist for this server alone, and a log of sudo's own.
NAMESPACE = """\
#!/bin/sh
exec unshare -m sh -c '
for file in passwd shadow group sudoers; do mount --bind "$0/$file" "/etc/$file" || exit 1; done
exec {sshd} "$@"' {folder} "$@"
"""


@dataclass(frozen=True)
class SudoHost:
    """The server, its folder, what sudo wrote in its log, and by which transport it is reached."""

    sshd: Sshd
    folder: Path
    transport: str = "ssh"

    @property
    def arguments(self) -> list[str]:
        return [f"--host={USER}@127.0.0.1:{self.sshd.port}", f"--transport={self.transport}", *self.sshd.arguments[1:]]

    @property
    def log(self) -> str:
        file = self.folder / "sudo.log"
        return " ".join(file.read_text().split()) if file.exists() else ""

    def allow(self, *lines: str) -> None:
        """What /etc/sudoers says besides the log."""
        text = [f"Defaults logfile={self.folder}/sudo.log, !syslog, timestamp_timeout=0", "root ALL=(ALL) ALL", *lines]
        (self.folder / "sudoers").write_text("\n".join(text) + "\n")


@contextmanager
def with_password(monkeypatch: pytest.MonkeyPatch) -> Iterator[SudoHost]:
    """A host whose login may become root by sudo and its password; skips where that cannot be set up."""
    if not can_run():
        pytest.skip(MISSING)
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "sudo", "openssl"))):
        pytest.skip("needs root, unshare, sudo and openssl: a user with sudo is made in a mount namespace")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server reads the user's keys as that user
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, check=True, capture_output=True, text=True
        ).stdout.strip()
        lines = {"passwd": f"{USER}:x:{UID}:{UID}::/:/bin/sh", "shadow": f"{USER}:{hashed}:19000::::::",
                 "group": f"{USER}:x:{UID}:"}  # fmt: skip
        for file, line in lines.items():
            (folder / file).write_text(Path("/etc", file).read_text() + line + "\n")
        (folder / "shadow").chmod(0o640)
        (folder / "sudoers").touch()
        (folder / "sudoers").chmod(0o440)
        wrapper = folder / "sshd"
        wrapper.write_text(NAMESPACE.format(sshd=tests.sshd.SSHD, folder=folder))
        wrapper.chmod(0o755)
        monkeypatch.setattr(tests.sshd, "SSHD", str(wrapper))
        with running(folder) as server:
            (folder / "authorized").chmod(0o644)
            host = SudoHost(server, folder)
            host.allow(f"{USER} ALL=(root) ALL")
            yield host
