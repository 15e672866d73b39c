"""Two servers, and a configuration of whoever wants to reach them: whether `ssh` does, and whether we do."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.sshd import Sshd

from memrunbook.core.host import Host
from memrunbook.runtime.ports import Connector
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.ssh import SshConnector

Way = Callable[[Host, SshOptions], Connector]


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@dataclass(frozen=True)
class Net:
    """Servers `inner` and `outer`, and the configuration of whoever wants to reach them; nothing else is known."""

    inner: Sshd
    outer: Sshd

    @property
    def folder(self) -> Path:
        return self.inner.folder

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def options(self) -> SshOptions:
        return replace(self.inner.options, identities=(), known_hosts=())

    @property
    def base(self) -> str:
        """The lines that a host needs anyway."""
        return (
            f"User {self.inner.user}\nUserKnownHostsFile {self.folder}/known_hosts\nGlobalKnownHostsFile /dev/null\n"
            f"IdentityFile {self.folder}/id\nIdentitiesOnly yes\n"
        )

    def configure(self, text: str) -> None:
        inner, outer = self.inner.port, self.outer.port
        self.config.write_text(text.format(inner=inner, outer=outer, folder=self.folder) + f"\nHost *\n{self.base}")

    def ssh(self, name: str) -> bool:
        """Whether ssh reaches it."""
        words = ["ssh", "-T", "-F", str(self.config), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", name]
        done = subprocess.run([*words, "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode == 0

    def reach(self, name: str, way: Way = SshConnector, **more: object) -> dict[str, str]:
        """Reaches it and works there: what was passed on the way. Raises what `connect` raises."""
        passed: dict[str, str] = {}
        options = replace(self.options, passed=lambda _, stage, said: passed.update({stage: said}))
        session = way(Host(name=name, **more), options).connect()  # type: ignore[arg-type]  # fields of a host
        try:
            assert session.execute("echo there").text == "there\n"
            passed["key"] = session.identity.host_key
        finally:
            session.close()
        return passed
