"""The history as a file of SQLite. One that is damaged, or none of ours, is set aside, and a new one made."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memrunbook.core.errors import JournalError
from memrunbook.state import disk
from memrunbook.state.history.tables import APPLICATION, NEWEST, SQLITE

PATIENCE = 5.0
"""Seconds that another writer is waited for: a history that is busy for longer is not worth a diagnosis that waits."""
STAMP = "%Y%m%dT%H%M%SZ"
BESIDE = ("", "-wal", "-shm")
MARKS = (
    "SELECT application_id, user_version, (SELECT COUNT(*) FROM sqlite_master)"
    " FROM pragma_application_id, pragma_user_version"
)
HARMLESS = "no diagnosis and no run needs it"
UNREAD = "the history cannot be read or written"
SEE = f"see that there is space and whose file it is; {HARMLESS}"
UPDATE = "update memrunbook here; until then this version keeps no readings"


class DamagedError(JournalError):
    """The file is no database, a damaged one, or somebody else's."""


@dataclass
class FileRows:
    """A transaction on the file."""

    connection: sqlite3.Connection

    def all(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a question has."""
        return self.connection.execute(statement, values).fetchall()

    def do(self, statement: str, values: Sequence[Mapping[str, object]]) -> None:
        """Does a statement once for each of these values."""
        self.connection.executemany(statement, values)


@dataclass(frozen=True)
class HistoryFile:
    """The file; each transaction has a connection of its own, so that threads share none.

    `told` is told in a sentence, and a hint, that a file was set aside.
    """

    path: Path
    now: Callable[[], float]
    told: Callable[[str, str], object] = lambda _said, _hint: None

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @contextmanager
    def reading(self) -> Iterator[FileRows]:
        """A transaction that only reads. Where nothing may be written, what the file itself holds is told."""
        fixed = self.path.exists() and not os.access(self.path.parent, os.W_OK)
        with self._fixed() if fixed else self._opened() as connection:
            connection.execute("BEGIN")
            yield FileRows(connection)

    @contextmanager
    def writing(self) -> Iterator[FileRows]:
        """A transaction that writes."""
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield FileRows(connection)
            connection.execute("COMMIT")

    def close(self) -> None:
        """Nothing is kept open."""

    @contextmanager
    def _fixed(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            address = f"{self.path.absolute().as_uri()}?immutable=1"
            with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                _refuse(_marks(connection), self.path)
                yield connection

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection to the file with its tables; one that is found to be damaged is set aside."""
        with explained(self.path):
            try:
                with self._held(fcntl.LOCK_SH):
                    self._connected().close()
            except DamagedError as error:
                self._set_aside(error)
            try:
                with self._held(fcntl.LOCK_SH), closing(self._connected()) as connection:
                    yield connection
            except sqlite3.DatabaseError as error:
                if type(error) is sqlite3.DatabaseError:  # those of its kinds are no damage
                    self._set_aside(DamagedError(str(error)))
                    raise DamagedError(f"{UNREAD}: {error}", where=str(self.path), hint=SEE) from None
                raise

    def _connected(self) -> sqlite3.Connection:
        if not self.path.exists():
            os.close(disk.open_for_append(self.path))  # with the mode that SQLite gives to its own files beside it
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            _prepare(connection, self.path)
        except BaseException as error:
            connection.close()
            if type(error) is sqlite3.DatabaseError:
                raise DamagedError(str(error)) from None
            raise
        return connection

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        """Holds the file's lock: it keeps its name while anybody has it open, for the files beside it go by name."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        file = disk.open_for_append(lock)
        try:
            deadline = time.monotonic() + PATIENCE
            while not _try_lock(file, how):
                if time.monotonic() >= deadline:
                    raise JournalError("the history is in use", where=str(self.path), hint=HARMLESS)
                time.sleep(disk.POLL)
            yield
        finally:
            os.close(file)

    def _set_aside(self, error: DamagedError) -> None:
        """Renames the file, unless another process has just done so: what is there by now may be a good one."""
        stamp = datetime.fromtimestamp(self.now(), UTC).strftime(STAMP)
        aside = f"{self.path}.aside-{stamp}"
        with self._held(fcntl.LOCK_EX):
            if _is_whole(self.path):
                return
            for end in BESIDE:
                with suppress(FileNotFoundError):
                    Path(f"{self.path}{end}").rename(f"{aside}{end}")
        said = f"the history could not be read ({error.message}) and begins anew: {self.path}"
        self.told(said, f"the old file was kept as {aside}")


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables where they are missing; DamagedError for a foreign file, JournalError for a newer one."""
    connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last reading, nothing else
    marks = application, known, tables = _marks(connection)
    _refuse(marks, path)
    if application == APPLICATION and known == NEWEST:
        return
    if application != APPLICATION and tables:
        raise DamagedError("it is a database of another program")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    _, known, _ = _marks(connection)  # another process may have been at it first
    for statement in SQLITE.made(known):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={NEWEST}")
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute("COMMIT")


def _refuse(marks: tuple[int, int, int], path: Path) -> None:
    application, known, _ = marks
    if application == APPLICATION and known > NEWEST:
        message = f"the history is of a newer version of memrunbook (its tables stand at {known})"
        raise JournalError(message, where=str(path), hint=UPDATE)


def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Whose file it is, the version of its tables, and how many there are: of one moment, another may make them."""
    row = connection.execute(MARKS).fetchone()
    return int(row[0]), int(row[1]), int(row[2])


def _is_whole(path: Path) -> bool:
    """True where a file is sound and ours, or not there."""
    if not path.exists():
        return True
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            application, known, tables = _marks(connection)
    except sqlite3.DatabaseError:
        return False
    return bool(sound and (not tables or (application == APPLICATION and known)))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns an error of SQLite, or of the file, into a JournalError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{UNREAD}: {error}", where=str(path), hint=SEE) from None


def set_aside(path: Path) -> list[tuple[Path, float]]:
    """The files that were set aside for a history, the oldest first, and when (seconds since 1970)."""
    found = []
    for one in sorted(path.parent.glob(f"{path.name}.aside-*Z")):
        with suppress(ValueError):
            stamp = one.name.rpartition("-")[2]
            found.append((one, datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).timestamp()))
    return found
