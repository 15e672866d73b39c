"""What whoever reads hosts tells meanwhile: on a terminal a line, or a region for several hosts, that goes away."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from memrunbook.cli.options import OutputOptions
from memrunbook.cli.remarks import Remarks
from memrunbook.cli.streams import on_stderr, while_heard
from memrunbook.core.errors import Interrupted
from memrunbook.core.host import Host
from memrunbook.core.units import format_duration

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.core.run.request import Request
    from memrunbook.ui.fleet_display import FleetDisplay
    from memrunbook.ui.waiting import WaitingLine

SOON = 2.0
"""A wait is explained from here on."""
LOOKED_AT = 8
"""The first look at more hosts than these would bury the answer."""


class Meanwhile(Remarks):
    """Tells on stderr what is waited for. `stop` ends every wait."""

    def __init__(self, output: OutputOptions, stop: threading.Event) -> None:
        super().__init__(output.color)
        self._output = output
        self._stop = stop
        self._line: WaitingLine | None = None
        self._fleet: FleetDisplay | None = None

    def fleet(self, hosts: Sequence[Host]) -> FleetDisplay | None:
        """What shows several hosts where a person reads along; from now on it is told what is waited for."""
        from memrunbook.ui.screen import Screen

        screen = Screen(self._output.color, sys.stderr)
        moves = screen.terminal and not screen.dumb and not self._output.quiet
        if len(hosts) > 1 and self._output.format.CONVERSES and moves:
            from memrunbook.runtime.clock import SystemClock
            from memrunbook.ui.fleet_display import FleetDisplay

            names, verbose = [host.name for host in hosts], self._output.verbose
            self._fleet = FleetDisplay(screen, SystemClock().now, names, verbose=verbose)
        return self._fleet

    def waiting(self, host: str, what: str, waited: float) -> None:
        """Says on a terminal what is waited for; after Ctrl-C it ends the wait, which nothing else would."""
        if self._stop.is_set():
            raise Interrupted(f"given up after {waited:.0f} s: {what}")
        if waited >= SOON and self._fleet is not None:
            self._fleet.waiting(host, what)
        elif waited >= SOON:
            self.say(f"{host}: {waited:.0f} s, {what}")

    def passed(self, host: str, stage: str, said: str) -> None:
        """Says which hosts are reached by another client than the engine's own, and why."""
        from memrunbook.transports.shared.reach import OWN_CLIENT
        from memrunbook.ui.block import line

        if stage != "transport" or said == OWN_CLIENT:
            return
        words = f"{host}: reached by {said}"
        if self._fleet is not None:
            while_heard(self._fleet.say)(line(words))
        elif waiting := self._terminal_line():
            while_heard(waiting.above)([line(words)])
        else:
            on_stderr(f"{words}\n")

    def reading(self, hosts: Sequence[Host], count: int, every: float, *, watching: bool) -> None:
        """Says what takes so long: on a terminal in what goes away, elsewhere only a watch."""
        whom = hosts[0].name if len(hosts) == 1 else f"{len(hosts)} hosts"
        verb = "watching" if watching else "reading"
        what = f"{verb} {whom}, {count} samples, about {format_duration((count - 1) * every)}"
        if self._output.quiet:
            return
        if watching and not sys.stderr.isatty():
            on_stderr(f"{what}\n")
        self.first_look = sys.stderr.isatty() and count > 1 and len(hosts) <= LOOKED_AT
        if fleet := self.fleet(hosts):
            fleet.note = f"{what}; Ctrl-C shows what is known by then"
            while_heard(fleet.__enter__)()
        else:
            self.say(what)

    def connecting(self, host: str) -> None:
        """Which host is being connected to is drawn where there are several."""
        if self._fleet is not None:
            self._fleet.connecting(host)

    def asked(self, host: str, request: Request) -> None:
        """That a host is being read is drawn where there are several."""
        if self._fleet is not None:
            self._fleet.asked(host, request)

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        """That a host could not be read is told at once where there are several."""
        if self._fleet is not None:
            while_heard(self._fleet.ended)(host, outcome, why)

    def first(self, snapshot: Snapshot) -> None:
        """Says on a terminal what the first sample says."""
        from memrunbook.ui.first_look import first_look

        if self.first_look and self._fleet is not None:
            while_heard(self._fleet.say)(first_look(snapshot))
        elif self.first_look and (line := self._terminal_line()):
            while_heard(line.above)([first_look(snapshot)])

    def read(self) -> None:
        """Takes away what was drawn."""
        if self._fleet is not None:
            while_heard(self._fleet.__exit__)(None, None, None)
        if self._line is not None:
            while_heard(self._line.clear)()

    def say(self, words: str) -> None:
        """Says on a terminal what is waited for; it goes away again."""
        if line := self._terminal_line():
            while_heard(line.say)(words)

    def _terminal_line(self) -> WaitingLine | None:
        if self._line is None and sys.stderr.isatty() and not self._output.quiet:
            from memrunbook.ui.screen import Screen
            from memrunbook.ui.waiting import WaitingLine

            self._line = WaitingLine(Screen(self._output.color, sys.stderr))
        return self._line
