"""What the scheduler does beside its firings: tells the log and the receivers, sends what waits, writes figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.cli.scheduling import say, tell_on_stderr
from memrunbook.core.errors import RunbookError, in_a_line
from memrunbook.core.run.notification import Notification
from memrunbook.core.units import MINUTE
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.documents.config import Config


@dataclass
class Announcer:
    """Tells the log, then the receivers of config.yaml. What fails here is a line of the log, and stops nothing.

    While config.yaml cannot be read those are told that it named when it could be: of that, too, somebody must hear.
    """

    library: Library
    state: Path
    store: str = ""
    textfile: Path | None = None
    _known: Config | None = field(default=None, init=False)
    _sent: float = field(default=float("-inf"), init=False)
    _said: dict[str, str] = field(default_factory=dict, init=False)

    def __call__(self, notifications: Sequence[Notification]) -> None:
        """Tells of these."""
        from memrunbook.app.going_on import words_here
        from memrunbook.app.notifying import complete, told, told_past_queue

        here = words_here(self.state, self.library, self.store)
        notifications = [complete(one, here) for one in notifications]
        tell_on_stderr(notifications)
        try:
            for words in told(notifications, self.state, self.library, self.store) if notifications else ():
                say(words)
        except RunbookError as error:
            if self._known is None or not self._known.notify:
                say(f"nobody else was told: {in_a_line(error)}")
                return
            say(f"told by config.yaml as it was before: {in_a_line(error)}")
            for words in told_past_queue(notifications, self._known, here):
                say(words)

    def nobody(self) -> None:
        """Says so where no receiver is named: whoever starts it hears of it before the night in which it matters."""
        self._known = self.library.config()
        if not self._known.notify:
            say("nobody is told: config.yaml names no receiver (notify:); one that is added is seen without a restart")

    def beside(self) -> None:
        """Once a minute: sends what waits for a receiver, and writes the figures for node_exporter."""
        now = time.monotonic()
        if now - self._sent < MINUTE:
            return
        self._sent = now
        with suppress(RunbookError):  # what cannot be read is said right below
            self._known = self.library.config()
        self._each("messages", self._send)
        self._each("figures", self._write)

    def _each(self, what: str, does: Callable[[], None]) -> None:
        """What fails keeps the other from nothing, and is said once for as long as it fails alike."""
        said = ""
        try:
            does()
        except RunbookError as error:
            said = f"{in_a_line(error)}"
            if said != self._said.get(what):
                say(f"{what} beside the schedules: {said}")
        self._said[what] = said

    def _send(self) -> None:
        from memrunbook.app.notifying import send_waiting

        for receiver, problem in send_waiting(self.state, self.library, self.store).problems.items():
            say(f"{receiver} was not told, and will be: {problem}")

    def _write(self) -> None:
        if self.textfile is not None:
            from memrunbook.app.exposing import expose
            from memrunbook.state.textfile import write_textfile

            write_textfile(self.textfile, expose(self.state, self.library, self.store))
