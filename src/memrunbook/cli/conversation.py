"""What a command and whoever typed it say to one another: whom to reach, what is waited for, Ctrl-C, who is asked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memrunbook.app.notice import Notice
from memrunbook.cli.naming import named_hosts, recorded_hosts
from memrunbook.cli.options import OutputOptions, seconds
from memrunbook.cli.streams import while_heard
from memrunbook.cli.sudo_password import sudo_password
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import Interrupted
from memrunbook.core.host import Host
from memrunbook.core.units import format_duration

if TYPE_CHECKING:
    from memrunbook.app.connectors import Connectors
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.ui.waiting import WaitingLine

PATIENCE = 300.0
"""How long a slow host is waited for on a terminal, in seconds."""
SOON = 2.0
"""A wait is explained from here on."""
LOOKED_AT = 8
"""The first look at more hosts than these would bury the answer."""


@dataclass
class Conversation(Notice):
    """One command's talk on stderr. `stop` is set by the first Ctrl-C where that is caught."""

    output: OutputOptions
    targets: Targets
    stop: threading.Event = field(default_factory=threading.Event)
    first_look: bool = field(init=False, default=False)
    _line: WaitingLine | None = field(init=False, default=None)

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts that were named; UsageError for none."""
        targets = self.targets
        return recorded_hosts(targets) if targets.replay else named_hosts(targets)

    def connectors(self) -> Connectors:
        """How the hosts are reached."""
        from memrunbook.app.connectors import Connectors
        from memrunbook.transports.shared.reach import Reach, nobody_follows

        targets = self.targets
        given = seconds(targets.patience, "--patience")
        password = sudo_password(targets, asks=not targets.no_input and self.output.format.CONVERSES)
        patience = PATIENCE if given is None and sys.stderr.isatty() else given
        reach = Reach(
            identities=targets.identity,
            known_hosts=targets.known_hosts,
            ssh_config=targets.ssh_config,
            accept_new_host_keys=targets.accept_new_host_keys,
            sudo=targets.sudo,
            patience=patience,
            read_patience=given or 0.0,
            waiting=self.waiting,
            passed=self.passed if self.output.verbose else nobody_follows,
            sudo_password=password,
        )
        return Connectors(reach, targets.forks)

    @property
    def interactive(self) -> bool:
        """True when gates can be asked: there is a terminal and nobody forbade it."""
        forbidden = self.targets.no_input or not self.output.format.CONVERSES
        return not forbidden and sys.stdin is not None and sys.stdin.isatty()

    def waiting(self, host: str, what: str, waited: float) -> None:
        """Says on a terminal what is waited for; after Ctrl-C it ends the wait, which nothing else would."""
        if self.stop.is_set():
            raise Interrupted(f"given up after {waited:.0f} s: {what}")
        if waited >= SOON:
            self._say(f"{host}: {waited:.0f} s, {what}")

    def passed(self, host: str, stage: str, said: str) -> None:
        """Says which hosts are reached by another client than the engine's own, and why."""
        from memrunbook.transports.shared.reach import OWN_CLIENT
        from memrunbook.ui.block import line

        if stage != "transport" or said == OWN_CLIENT:
            return
        words = f"{host}: reached by {said}"
        if waiting := self._terminal_line():
            while_heard(waiting.above)([line(words)])
        else:
            while_heard(sys.stderr.write)(f"{words}\n")

    def reading(self, hosts: Sequence[Host], count: int, every: float, *, watching: bool) -> None:
        """Says what takes so long: on a terminal on a line that goes away, elsewhere only a watch."""
        whom = hosts[0].name if len(hosts) == 1 else f"{len(hosts)} hosts"
        verb = "watching" if watching else "reading"
        what = f"{verb} {whom}, {count} samples, about {format_duration((count - 1) * every)}"
        if watching and not sys.stderr.isatty():
            while_heard(sys.stderr.write)(f"{what}\n")
        self.first_look = sys.stderr.isatty() and count > 1 and len(hosts) <= LOOKED_AT
        self._say(what)

    def first(self, snapshot: Snapshot) -> None:
        """Says on a terminal what the first sample says."""
        from memrunbook.ui.first_look import first_look

        if self.first_look and (line := self._terminal_line()):
            while_heard(line.above)([first_look(snapshot)])

    def read(self) -> None:
        """Takes the line away."""
        if self._line is not None:
            while_heard(self._line.clear)()

    def _say(self, words: str) -> None:
        if line := self._terminal_line():
            while_heard(line.say)(words)

    def _terminal_line(self) -> WaitingLine | None:
        if self._line is None and sys.stderr.isatty():
            from memrunbook.ui.screen import Screen
            from memrunbook.ui.waiting import WaitingLine

            self._line = WaitingLine(Screen(self.output.color, sys.stderr))
        return self._line
