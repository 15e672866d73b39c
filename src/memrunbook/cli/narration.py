"""What a run tells meanwhile: lines and a live display for people, the records themselves for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from memrunbook.app.leaving import LeftAtOnce
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.interrupts import on_stderr
from memrunbook.cli.meanwhile import LOOKED_AT
from memrunbook.cli.recap import show_left
from memrunbook.cli.rollout_lines import RolloutLines
from memrunbook.cli.streams import while_heard
from memrunbook.core.host import Host
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.request import AskApproval, Execute, Request
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.block import Block
from memrunbook.ui.first_look import first_look
from memrunbook.ui.progress import ProgressDisplay, progress_line, went_wrong
from memrunbook.ui.screen import Screen, tell

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd


class Narration(RolloutLines):
    """Tells of a run on stderr, or through a format that people do not read. Use it as a context manager.

    `over` are the hosts on which nothing more is done, `asks` says whether a person is asked at a gate.
    """

    def __init__(self, talk: Conversation, hosts: Sequence[Host]) -> None:
        screen = Screen(talk.output.color, sys.stderr)
        self._output, self._format = talk.output, talk.output.format
        self._fleet = talk.meanwhile.fleet(hosts)
        self._display = self._fleet or ProgressDisplay(screen, SystemClock(talk.stop).now)
        self._record, self._ask = while_heard(self._format.record), while_heard(self._display.asked)
        self.first_look = self._format.CONVERSES and screen.terminal and len(hosts) <= LOOKED_AT
        self.first_look = self.first_look and not self._output.quiet
        self._doing: dict[str, str] = {}
        self.over: set[str] = set()
        self.asks: Callable[[str, AskApproval], bool] = lambda _host, _question: False
        super().__init__(self._display.say)

    def __enter__(self) -> Self:
        while_heard(self._display.__enter__)()
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        while_heard(self._display.__exit__)(None, None, None)
        self._record = super().recorded  # a host that is still at work says nothing behind the last line
        if isinstance(error, LeftAtOnce) and len(error.reports) > 1:
            show_left(error, self._output)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is drawn meanwhile: a question stands."""
        with self._display.paused():
            yield

    def first(self, snapshot: Snapshot) -> None:
        """What the first sample says gets a line."""
        while_heard(self._display.say)(first_look(snapshot))

    def connecting(self, host: str) -> None:
        """Which host is being connected to is drawn where there are several."""
        if self._fleet is not None:
            self._fleet.connecting(host)

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        """How a host ended is told at once where somebody should know, and where there are several."""
        self.over.add(host)
        if self._fleet is not None:
            while_heard(self._fleet.ended)(host, outcome, why)

    def asked(self, host: str, request: Request) -> None:
        """What a host is asked for is drawn where people read along; which commands are under way is kept."""
        if isinstance(request, Execute):
            self._doing[host] = request.step
        else:
            self._doing.pop(host, None)
        if isinstance(request, AskApproval) and not self.asks(host, request):
            return
        if self._format.CONVERSES and self._output.quiet and not went_wrong(request):
            tell([progress_line(host, request)])
        elif self._format.CONVERSES:
            self._ask(host, request)

    def goes_on(self, said: Block) -> None:
        """How it goes, which whoever wants it quiet does not hear."""
        if self._output.quiet:
            tell([said])
        else:
            super().goes_on(said)

    def stopping(self, words: str) -> None:
        """What Ctrl-C does now: drawn with the hosts where they are drawn, since it may come in any moment."""
        if self._fleet is not None:
            self._fleet.note = words
        else:
            on_stderr(words)

    def in_flight(self) -> list[str]:
        """The commands that are under way right now, as "restart-hog on web-1"."""
        return [f"{step} on {host}" for host, step in self._doing.copy().items()]

    def recorded(self, record: Mapping[str, Any]) -> None:
        """A record goes to the format."""
        self._record(record)
