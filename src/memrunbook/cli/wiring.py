"""Puts the parts together: settings become connectors, collectors, runbooks and runs."""

from __future__ import annotations

import dataclasses
import getpass
import os
import sys
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.cli.options import Settings
from memrunbook.core.errors import (
    DocumentError,
    HostError,
    Interrupted,
    Problem,
    RunbookError,
    SessionLost,
    UsageError,
)
from memrunbook.core.host import LOCAL, Host, parse_hosts

if TYPE_CHECKING:
    from memrunbook.core.action.policy import ServicePolicy
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.runtime.life import Pause
    from memrunbook.runtime.ports import Connector
    from memrunbook.transports.ssh import SshOptions


PATIENCE = 300.0
"""How long a slow host is waited for on a terminal, in seconds."""
SOON = 2.0
"""A wait is explained from here on."""


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
        _refuse_twins(hosts)
        return hosts

    @cached_property
    def ssh(self) -> SshOptions:
        """How to reach hosts by SSH."""
        from memrunbook.transports.ssh import SshOptions, Timeouts

        settings = self.settings
        patience = settings.patience
        if patience is None and sys.stderr.isatty():
            patience = PATIENCE
        usual = Timeouts()
        waits = usual if patience is None else Timeouts(*(min(wait, patience) for wait in dataclasses.astuple(usual)))
        return SshOptions(
            identities=settings.identity,
            known_hosts=settings.known_hosts,
            accept_new=settings.accept_new_host_keys,
            sudo=settings.sudo,
            patience=patience or 0.0,
            notice=self._notice,
            timeouts=waits,
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

    @cached_property
    def runbooks(self) -> tuple[list[Runbook], list[Problem]]:
        """Every runbook of the search path, and why some of them cannot be used: one bad file disables no diagnosis."""
        from memrunbook.documents.library import entries

        found: list[Runbook] = []
        problems: list[Problem] = []
        for entry in entries(self.settings.runbook_dirs):
            try:
                found += [] if entry.shadowed else [self.runbook(entry.name)]
            except DocumentError as error:
                problems += error.problems
        return found, problems

    def seen(self, snapshot: Snapshot | None, names: Collection[str]) -> dict[str, Snapshot]:
        """By runbook, the snapshot as that runbook sees it: what its own resolved runs have handled is marked."""
        from memrunbook.runtime.handled import with_handled
        from memrunbook.state.handled import handled

        if snapshot is None:
            return {}
        state = state_path(self.settings)
        return {name: with_handled(snapshot, handled(state, name)) for name in names}

    def read(
        self,
        facts: Callable[[], Collection[str]],
        count: int,
        every: float,
        work: Callable[[], None] = lambda: None,
    ) -> list[Reached]:
        """Reads every host; `work` is done in the first wait between two samples."""
        from memrunbook.cli.streams import meanwhile
        from memrunbook.core.units import format_duration
        from memrunbook.runtime.clock import SystemClock
        from memrunbook.runtime.fleet import each

        hosts = self.hosts
        whom = hosts[0].name if len(hosts) == 1 else f"{len(hosts)} hosts"
        verb = "reading" if self.settings.watch is None else "watching"
        what = f"{verb} {whom}, {count} samples, about {format_duration((count - 1) * every)}"
        with meanwhile(what, always=self.settings.watch is not None):
            clock = SystemClock(self.stop)
            return each(hosts, lambda host: self._read(host, facts, count, every), self.settings.forks, clock, work)

    def _read(
        self, host: Host, facts: Callable[[], Collection[str]], count: int, every: float
    ) -> Generator[Pause, None, Reached]:
        try:
            session = self.connector(host).connect()
        except RunbookError as error:
            return Reached(host.name, error=error)
        try:
            from memrunbook import catalog
            from memrunbook.runtime.clock import SystemClock
            from memrunbook.runtime.collect import Collector
            from memrunbook.runtime.services import with_policy

            patience = self.settings.patience or 0.0
            collector = Collector(host, session, SystemClock(self.stop), catalog.facts(), patience=patience)
            snapshot = yield from collector.collect(sorted(facts()), count=count, every=every)
            if snapshot.lost:
                return Reached(host.name, error=SessionLost("the connection was lost while the host was being read"))
            return Reached(host.name, with_policy(snapshot, self.policy))
        except HostError as error:
            return Reached(host.name, error=error)
        finally:
            session.close()

    def _notice(self, host: str, what: str, seconds: float) -> None:
        """Says on a terminal what is waited for; after Ctrl-C it ends the wait, which nothing else would."""
        if self.stop.is_set():
            raise Interrupted(f"given up after {seconds:.0f} s: {what}")
        if sys.stderr.isatty() and seconds >= SOON:
            sys.stderr.write(f"\r\x1b[K{host}: {seconds:.0f} s, {what}; Ctrl-C to give up\r")
            sys.stderr.flush()


def _refuse_twins(hosts: list[Host]) -> None:
    """One name is one journal, one lock and one line of the report: it cannot stand for two logins."""
    names = [host.name for host in hosts]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise UsageError(
                f"{name} is named {names.count(name)} times, with different users or ports",
                where="--host",
                hint="give each a name of its own in the ssh configuration (Host, HostName, Port, User)",
            )


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
