"""How hosts are reached by SSH, whichever client does it: one object for all of them, so that files are read once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.host import Host
from memrunbook.transports.shared.agents import Agents
from memrunbook.transports.shared.doors import Doors
from memrunbook.transports.shared.known_hosts import KnownHosts
from memrunbook.transports.shared.lean import load_paramiko
from memrunbook.transports.shared.openssh_files import OpensshFiles
from memrunbook.transports.shared.reach import Reach, nobody_follows, nobody_listens
from memrunbook.transports.shared.shell import SudoMode
from memrunbook.transports.shared.ssh_resolve import Resolver
from memrunbook.transports.shared.sudo import SudoPassword

if TYPE_CHECKING:
    from memrunbook.transports.shared.ssh_keys import KeyRing


@dataclass(frozen=True)
class Timeouts:
    """How long each phase may take, in seconds."""

    tcp: float = 10.0
    banner: float = 20.0
    login: float = 30.0
    channel: float = 20.0
    configuration: float = 10.0

    def whole_login(self, patience: float) -> float:
        """From the first packet to the login on one host, where so much patience is asked for."""
        return self.tcp + max(self.banner, patience) + 2 * max(self.login, patience)


@dataclass(frozen=True, eq=False)
class SshOptions:
    """What an operator says once for all hosts; what is empty is as `ssh` would.

    `known_hosts` stand for the user's and the system's files. `patience` (seconds) lengthens the waits for the banner
    and the login of a slow host; `notice(host, what, seconds)` is told four times a second what is waited for, and
    `passed(host, stage, said)` what was got through.
    """

    identities: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    accept_new: bool = False
    sudo: SudoMode = "auto"
    patience: float = 0.0
    notice: Callable[[str, str, float], None] = nobody_listens
    passed: Callable[[str, str, str], None] = nobody_follows
    sudo_password: SudoPassword | None = None
    timeouts: Timeouts = Timeouts()
    agents: Agents = field(default_factory=Agents)
    doors: Doors = field(default_factory=Doors)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rings: list[KeyRing] = field(default_factory=list)
    _known: dict[tuple[Path, ...], KnownHosts] = field(default_factory=dict)

    def of(self, host: Host) -> SshOptions:
        """These, with what the inventory says of sudo on one host."""
        return replace(self, sudo=host.sudo) if host.sudo else self

    @cached_property
    def resolver(self) -> Resolver:
        """What says where hosts are: `ssh -G`, or our own reader."""
        return Resolver(self.ssh_config, self.identities, self.timeouts.configuration)

    @cached_property
    def openssh_files(self) -> OpensshFiles:
        """What OpenSSH's client is handed."""
        return OpensshFiles(self.identities, self.known_hosts, self.ssh_config, self.accept_new)

    def ring(self) -> KeyRing:
        """The key files, loaded once."""
        load_paramiko()
        from memrunbook.transports.shared.ssh_keys import KeyRing

        with self._lock:
            if not self._rings:
                self._rings.append(KeyRing())
            return self._rings[0]

    def known(self, configured: tuple[Path, ...]) -> KnownHosts:
        """The known host keys: those of --known-hosts, else of the configured files."""
        paths = self.known_hosts or configured
        with self._lock:
            if paths not in self._known:
                self._known[paths] = KnownHosts(paths, named=bool(self.known_hosts))
            return self._known[paths]


def ssh_options(reach: Reach) -> SshOptions:
    """Less patience than usual shortens every wait."""
    usual = Timeouts()
    patience = reach.patience
    waits = usual if patience is None else Timeouts(*(min(wait, patience) for wait in astuple(usual)))
    options = SshOptions(
        identities=reach.identities,
        known_hosts=reach.known_hosts,
        ssh_config=reach.ssh_config,
        accept_new=reach.accept_new_host_keys,
        sudo=reach.sudo,
        patience=patience or 0.0,
        notice=reach.waiting,
        passed=reach.passed,
        sudo_password=reach.sudo_password,
        timeouts=waits,
    )
    _ = options.resolver, options.openssh_files  # made here and now: many threads share them
    return options
