"""Keeps what readings of hosts leave in the history: once a command, when all hosts have been read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from memrunbook.app.actor import this_actor
from memrunbook.app.notice import Notice
from memrunbook.app.reading import REPLAY
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.core.host import LOCAL

if TYPE_CHECKING:
    from memrunbook.app.stored import Stored
    from memrunbook.core.host import Host
    from memrunbook.core.reading.reached import Reached
    from memrunbook.core.reading.series import Series
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.state.history.past import HostPoints, StoredPast

R = TypeVar("R")
UNKEPT = "this reading is not kept in the history"


def kept_as(host: str) -> str:
    """The name that a host is kept under: "local" is another machine for each control node."""
    return this_actor().control_node or host if host == LOCAL else host


@dataclass
class Remembering:
    """What this command read, of each host the first reading; noted from several threads.

    Recordings leave nothing: they are of another time, and may be of another host. Nothing that goes wrong here is more
    than a note: the history is there for whoever looks back, and no limit and no change rests on it.
    """

    wanted: bool = True
    _readings: dict[str, HostPoints] = field(default_factory=dict, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def note(self, host: Host, snapshot: Snapshot | None) -> None:
        """A host was read."""
        if not self.wanted or snapshot is None or host.transport == REPLAY or host.name in self._readings:
            return
        from memrunbook import catalog
        from memrunbook.core.reading.points import series_of
        from memrunbook.state.history.past import HostPoints

        series = series_of(snapshot, catalog.facts())
        reading = HostPoints(kept_as(host.name), snapshot.identity.machine_id, snapshot.taken_at.utc, series)
        with self._turn:
            self._readings.setdefault(host.name, reading)

    def noting(self, said: Callable[[Reached], R]) -> Callable[[Reached], R]:
        """The same, and each host that was read is noted before."""

        def noted(reached: Reached) -> R:
            self.note(reached.host, reached.snapshot)
            return said(reached)

        return noted

    def write(self, stored: Stored, notice: Notice) -> None:
        """Keeps what was noted, unless config.yaml says that nothing is kept."""
        with self._turn:
            readings, self._readings = [one for one in self._readings.values() if one.series], {}
        if not readings or stored.config.history is None:
            return
        try:
            with closing(stored.past(notice.remark)) as past:
                past.remember(readings)
        except (RunbookError, OSError) as error:
            notice.remark(f"{UNKEPT}: {error}", getattr(error, "hint", ""))


@dataclass
class StoredRecall:
    """The past of hosts as readings ask for it: from the history, which is opened once, and not made for it.

    One for all hosts of a command, which closes it. What is kept goes the way of `Remembering`: once a command.
    """

    stored: Callable[[], Stored]
    _open: StoredPast | None = field(default=None, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def series(self, host: str, machine: str, since: float) -> tuple[Series, ...]:
        """The series of a host from a moment on that a leak is told from; none where no history is kept.

        JournalError where it does not answer; OSError of a file is told as one.
        """
        from memrunbook.app.past_leaks import JUDGED

        stored = self.stored()
        file = stored.history_file
        if stored.config.history is None or (file is not None and not file.exists()):
            return ()
        try:
            return self._past(stored).told(kept_as(host), machine, since, JUDGED)[0]
        except OSError as error:
            raise JournalError(str(error)) from error

    def keep(self, host: str, machine: str, series: Sequence[Series]) -> None:
        """Adds points."""
        self._past(self.stored()).keep(kept_as(host), machine, series)

    def close(self) -> None:
        """Lets go of the history; a host that is still read may ask it once more."""
        with self._turn:
            opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _past(self, stored: Stored) -> StoredPast:
        with self._turn:
            self._open = self._open or stored.past()
            return self._open
