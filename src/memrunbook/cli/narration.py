"""What a run tells meanwhile: lines and a live display for people, the records themselves for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from memrunbook.app.notice import Notice
from memrunbook.cli.conversation import LOOKED_AT, Conversation
from memrunbook.cli.streams import while_heard
from memrunbook.core.host import Host
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.batches import few
from memrunbook.core.run.request import Execute, Request
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.block import line
from memrunbook.ui.first_look import first_look
from memrunbook.ui.progress import ProgressDisplay
from memrunbook.ui.screen import Screen
from memrunbook.ui.words import plural


class Narration(Notice):
    """Tells of a run on stderr, or through a format that people do not read. Use it as a context manager."""

    def __init__(self, talk: Conversation, hosts: Sequence[Host]) -> None:
        screen = Screen(talk.output.color, sys.stderr)
        self._format = talk.output.format
        self._display = ProgressDisplay(screen, SystemClock(talk.stop).now)
        self._record, self._ask = while_heard(self._format.record), while_heard(self._display.asked)
        self.first_look = self._format.CONVERSES and screen.terminal and len(hosts) <= LOOKED_AT
        self._doing: dict[str, str] = {}
        self._waits: dict[str, str] = {}

    def __enter__(self) -> Self:
        while_heard(self._display.__enter__)()
        return self

    def __exit__(self, *_: object) -> None:
        while_heard(self._display.__exit__)(None, None, None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is drawn meanwhile: a question stands."""
        with self._display.paused():
            yield

    def first(self, snapshot: Snapshot) -> None:
        """What the first sample says gets a line."""
        while_heard(self._display.say)(first_look(snapshot))

    def asked(self, host: str, request: Request) -> None:
        """What a host is asked for is drawn where people read along; which commands are under way is kept."""
        if isinstance(request, Execute):
            self._doing[host] = request.step
        else:
            self._doing.pop(host, None)
        if self._format.CONVERSES:
            self._ask(host, request)

    def batch(self, number: int, count: int, hosts: Sequence[Host]) -> None:
        """A batch that begins gets a line, on stderr in every format."""
        names = few([host.name for host in hosts])
        self._tell(f"batch {number} of {count}: {plural(len(hosts), 'host')}, {names}")

    def not_begun(self, hosts: Sequence[str], why: str) -> None:
        """So do the hosts that were not begun."""
        self._tell(f"not begun: {plural(len(hosts), 'host')}, {few(hosts)}: {why}")

    def waits(self, host: str, why: str) -> None:
        """So does a wait for another host, once."""
        if self._waits.get(host) != why:
            self._waits[host] = why
            self._tell(f"{host}  waits for {why}")

    def _tell(self, words: str) -> None:
        while_heard(self._display.say)(line(words))

    def in_flight(self) -> list[str]:
        """The commands that are under way right now, as "restart-hog on web-1"."""
        return [f"{step} on {host}" for host, step in self._doing.copy().items()]

    def recorded(self, record: Mapping[str, Any]) -> None:
        """A record goes to the format."""
        self._record(record)
