"""Which store counts, and where lines are forwarded to: an option, else the environment, else config.yaml."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.core.reading.keeping import Keeping
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library
from memrunbook.runtime.named_file import read_named_text
from memrunbook.runtime.outside import is_server, shown
from memrunbook.state import forwarding
from memrunbook.state.history import FILE as HISTORY
from memrunbook.state.paths import prepare, usual_state_dir
from memrunbook.state.store import FILE

if TYPE_CHECKING:
    # SQLAlchemy is a quarter of a second and 30 MiB: a diagnosis does not pay for it.
    from memrunbook.state.history.database import Database
    from memrunbook.state.history.past import StoredPast
    from memrunbook.state.queue import Queue
    from memrunbook.state.store.changes import Store

BEAT = 1.0
"""Seconds between two signs of life of a worker, however short the silence after which others take it for dead."""
Told = Callable[[str, str], object]
LONGEST = 64 << 10
"""Bytes of a file with a password in its first line."""
VARIABLE = "RUNBOOK_STORE"
"""The environment's word for a store other than the file in the state directory: a URL, or a path."""


@dataclass(frozen=True)
class Stored:
    """A state directory's store: the one that is `named`, else the environment's, else config.yaml's, else its file."""

    state: Path = field(default_factory=usual_state_dir)
    config: Config = field(default_factory=Config)
    named: str = ""

    @property
    def missing(self) -> bool:
        """True for a file that is not there yet: who only looks makes none."""
        return self.file is not None and not self.file.exists()

    @property
    def file(self) -> Path | None:
        """The file that it is; None for a server."""
        return None if is_server(self.place) else Path(self.place or self.state / FILE).expanduser()

    @property
    def place(self) -> str:
        """Its URL or path; empty for the file in the state directory."""
        return self.named or os.environ.get(VARIABLE, "") or self.config.store.place

    @property
    def name(self) -> str:
        """In words for people: a path, or a URL without its password."""
        return shown(self.place) if is_server(self.place) else self.place or str(self.state / FILE)

    @property
    def password(self) -> str:
        """The password of config.yaml's server; empty for any other store. JournalError where it cannot be read."""
        file = self.config.store.password_file
        return _first_line(file) if file is not None and self.place == self.config.store.place else ""

    @property
    def patience(self) -> float:
        """For how long a run waits for it where it does not answer, in seconds; 0 for a file, which nobody restarts."""
        return self.config.store.patience if is_server(self.place) else 0.0

    def open(self) -> Store:
        """Opens it; the state directory exists. JournalError where it does not answer, UsageError where it is none."""
        for place, where in ((self.named, "--store"), (os.environ.get(VARIABLE, ""), f"${VARIABLE}")):
            if place:
                return _named(self.state, place, where)
        from memrunbook.state.store.changes import Store

        return Store.open(self.state, self.place, self.password)

    def jobs(self, stalled_after: float = 30.0) -> Queue:
        """The queue of several control nodes, in the same database. UsageError where the store is no server.

        After so many seconds without a word a worker is taken for dead.
        """
        from memrunbook.state.queue import Queue

        beat = min(BEAT, stalled_after / 3)
        return Queue.open(self.state, self.place, self.password, stalled_after=stalled_after, beat=beat)

    def look(self) -> Store:
        """Opens it to look: nothing is made or changed there. JournalError where it has not the tables of this version.

        Errors as of `open`.
        """
        from memrunbook.state.store.changes import Store
        from memrunbook.state.store.database import address

        return Store.as_it_is(address(self.state, self.place, self.password))

    @property
    def history_file(self) -> Path | None:
        """Where the history is: a file beside the store's; None where a server holds both."""
        return None if self.file is None else self.file.parent / HISTORY

    def past(self, told: Told = lambda _said, _hint: None) -> StoredPast:
        """Opens the history; JournalError where it does not answer. `told` is told, with a hint, what is wrong with it.

        A file is made where there is none, and one that is broken set aside.
        """
        from memrunbook.runtime.clock import SystemClock
        from memrunbook.state.history.past import StoredPast

        def now() -> float:
            return SystemClock().now().utc

        return StoredPast(self._history(now, told), now, self.config.history or Keeping(), told)

    def _history(self, now: Callable[[], float], told: Told) -> Database:
        path = self.history_file
        if path is not None:
            from memrunbook.state.history.file import HistoryFile

            if path.parent == self.state:
                prepare(self.state)
            return HistoryFile(path, now, told)
        from memrunbook.state.store.database import address
        from memrunbook.state.store.history_server import HistoryServer

        return HistoryServer.open(address(self.state, self.place, self.password))


def settings_of(library: Library) -> Config:
    """What config.yaml says; from now on lines of the audit go to the log that it names, or the environment does."""
    config = library.config()
    forwarding.configure(config.forward)
    return config


def _named(state: Path, place: str, where: str) -> Store:
    from memrunbook.state.store.changes import Store

    try:
        return Store.open(state, place)
    except UsageError as error:
        if error.where:
            raise
        raise UsageError(error.message, where=where, hint=error.hint) from None


def _first_line(path: Path) -> str:
    try:
        return read_named_text(path, LONGEST).partition("\n")[0].strip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"the password of the store cannot be read: {why}"
        raise JournalError(message, where=str(path), hint="see whose file it is, and that you may read it") from None
