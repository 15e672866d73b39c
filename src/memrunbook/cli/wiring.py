"""Puts the parts together: settings become connectors, collectors, runbooks and runs."""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.cli.options import Settings
from memrunbook.core.errors import HostError, RunbookError, SessionLost, UsageError
from memrunbook.core.host import LOCAL, Host, parse_hosts

if TYPE_CHECKING:
    from memrunbook.core.bound import Runbook
    from memrunbook.core.policy import ServicePolicy
    from memrunbook.core.snapshot import Snapshot
    from memrunbook.runtime.ports import Connector
    from memrunbook.transports.ssh import SshOptions


@dataclass(frozen=True)
class Reached:
    """What reading one host gave: a snapshot, or the error that prevented it."""

    host: str
    snapshot: Snapshot | None = None
    error: RunbookError | None = None


class Wiring:
    """The parts that one command line needs, each made when it is first asked for."""

    def __init__(self, settings: Settings, stop: threading.Event | None = None) -> None:
        self.settings = settings
        self.stop = stop or threading.Event()

    @cached_property
    def hosts(self) -> list[Host]:
        """The hosts that were named; UsageError for none."""
        if self.settings.replay is not None:
            return [Host(self.settings.replay.stem, transport="replay")]
        hosts = parse_hosts(self.settings.host)
        if not hosts:
            raise UsageError("no host was named", hint="add --host NAME, or --host local for this machine")
        return hosts

    @cached_property
    def ssh(self) -> SshOptions:
        """How to reach hosts by SSH."""
        from memrunbook.transports.ssh import SshOptions

        settings = self.settings
        return SshOptions(
            identities=settings.identity,
            known_hosts=settings.known_hosts,
            accept_new=settings.accept_new_host_keys,
            sudo=settings.sudo,
            patience=settings.patience_seconds if sys.stderr.isatty() else 0.0,
            notice=_notice if sys.stderr.isatty() else _silent,
            ssh_config=settings.ssh_config or Path.home() / ".ssh" / "config",
        )

    def connector(self, host: Host) -> Connector:
        """The way to reach a host."""
        if host.transport == "replay" and self.settings.replay is not None:
            from memrunbook.transports.replay import ReplayConnector

            return ReplayConnector(self.settings.replay)
        if host.transport == LOCAL:
            from memrunbook.transports.local import LocalConnector

            return LocalConnector(self.settings.sudo)
        from memrunbook.transports.ssh import SshConnector

        return SshConnector(host, self.ssh)

    @cached_property
    def policy(self) -> ServicePolicy:
        """The service policy."""
        from memrunbook.documents.runbooks import load_policy

        return load_policy(self.settings.config_file("services.yaml"))

    def runbook(self, name: str) -> Runbook:
        """One runbook by name or path."""
        from memrunbook.documents.library import read
        from memrunbook.documents.runbooks import load_runbook

        content, shown, origin = read(name, self.settings.runbook_dirs)
        return load_runbook(content, shown, origin, self.settings.parameters)

    def runbooks(self) -> list[Runbook]:
        """Every runbook of the search path; one that cannot be read is an error: a diagnosis must be whole."""
        from memrunbook.documents.library import entries

        names = [entry.name for entry in entries(self.settings.runbook_dirs) if not entry.shadowed]
        return [self.runbook(name) for name in names]

    def read(self, facts: Callable[[], Collection[str]], count: int, every: float) -> list[Reached]:
        """Reads every host; `facts` is asked while the first connection is being made."""
        from memrunbook.runtime.fleet import each

        return each(self.hosts, lambda host: self._read(host, facts, count, every), self.settings.forks)

    def _read(self, host: Host, facts: Callable[[], Collection[str]], count: int, every: float) -> Reached:
        try:
            session = self.connector(host).connect()
        except RunbookError as error:
            return Reached(host.name, error=error)
        try:
            from memrunbook import catalog
            from memrunbook.runtime.clock import SystemClock
            from memrunbook.runtime.collect import Collector
            from memrunbook.runtime.services import with_policy

            collector = Collector(host, session, SystemClock(self.stop), catalog.facts())
            snapshot = collector.collect(sorted(facts()), count=count, every=every)
            if snapshot.lost:
                return Reached(host.name, error=SessionLost("the connection was lost while the host was being read"))
            return Reached(host.name, with_policy(snapshot, self.policy))
        except HostError as error:
            return Reached(host.name, error=error)
        finally:
            session.close()


def state_path(settings: Settings, *, make: bool = False) -> Path:
    """The state directory; with `make` it is made where it is missing."""
    from memrunbook.state.paths import prepare, state_dir

    given = str(settings.state_dir) if settings.state_dir else None
    path = state_dir(given, os.environ, os.getuid())
    return prepare(path) if make else path


def actor() -> Mapping[str, str]:
    """Who runs this, as far as the machine knows: user, uid, sudo user, SSH client, terminal."""
    tty = os.ttyname(0) if sys.stdin is not None and sys.stdin.isatty() else ""
    return {
        "user": _user(),
        "uid": str(os.getuid()),
        "sudo_user": os.environ.get("SUDO_USER", ""),
        "ssh_client": os.environ.get("SSH_CLIENT", "").partition(" ")[0],
        "tty": tty,
        "control_node": os.uname().nodename,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def interactive(settings: Settings) -> bool:
    """True when gates can be asked: there is a terminal and nobody forbade it."""
    return not (settings.no_input or settings.json) and sys.stdin is not None and sys.stdin.isatty()


def _notice(host: str, what: str, seconds: float) -> None:
    sys.stderr.write(f"\r\x1b[K{host}: {seconds:.0f} s, {what}; Ctrl-C to give up\r")
    sys.stderr.flush()


def _silent(_host: str, _what: str, _seconds: float) -> None:
    """Off a terminal a wait is not drawn."""
