"""What the scheduler does beside its firings: tells the log and the receivers, sends what waits, writes figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.cli.scheduling import say, tell_on_stderr
from memrunbook.core.errors import RunbookError, in_a_line
from memrunbook.core.run.notification import Notification
from memrunbook.core.units import MINUTE
from memrunbook.documents.library import Library


@dataclass
class Announcer:
    """Tells the log, then the receivers of config.yaml. What fails here is a line of the log, and stops nothing."""

    library: Library
    state: Path
    store: str = ""
    textfile: Path | None = None
    _sent: float = field(default=float("-inf"), init=False)
    _said: dict[str, str] = field(default_factory=dict, init=False)

    def __call__(self, notifications: Sequence[Notification]) -> None:
        """Tells of these."""
        from memrunbook.app.going_on import words_here
        from memrunbook.app.notifying import complete, told

        here = words_here(self.state, self.library, self.store)
        notifications = [complete(one, here) for one in notifications]
        tell_on_stderr(notifications)
        try:
            for words in told(notifications, self.state, self.library, self.store) if notifications else ():
                say(words)
        except RunbookError as error:
            say(f"nobody else was told: {in_a_line(error)}")

    def nobody(self) -> None:
        """Says so where no receiver is named: whoever starts it hears of it before the night in which it matters."""
        if not self.library.config().notify:
            say("nobody is told: config.yaml names no receiver (notify:); one that is added is seen without a restart")

    def beside(self) -> None:
        """Once a minute: sends what waits for a receiver, and writes the figures for node_exporter."""
        now = time.monotonic()
        if now - self._sent < MINUTE:
            return
        self._sent = now
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
