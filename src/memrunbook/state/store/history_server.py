"""The history on the server that holds the store: the same statements, beside the store's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from memrunbook.core.errors import JournalError
from memrunbook.state.history.tables import NEWEST, POSTGRESQL
from memrunbook.state.store.database import connected, explained, one_at_a_time, reading, shown_url, writing
from memrunbook.state.store.engines import let_go

WRITES = "memrunbook: the history is written"
"""What a server is asked to lock by: the rows of a host are read and written in one."""
VERSION = sa.Table("history_version", sa.MetaData(), sa.Column("number", sa.BigInteger, nullable=False))


@dataclass
class ServerRows:
    """A transaction on the server."""

    connection: sa.Connection

    def all(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a question has."""
        return [tuple(row) for row in self.connection.execute(sa.text(statement), values)]

    def do(self, statement: str, values: Sequence[Mapping[str, object]]) -> None:
        """Does a statement once for each of these values."""
        if values:
            self.connection.execute(sa.text(statement), [dict(one) for one in values])


@dataclass(frozen=True)
class HistoryServer:
    """The history on a server."""

    engine: sa.Engine

    @classmethod
    def open(cls, where: sa.URL) -> HistoryServer:
        """The history on a server, its tables up to date; JournalError where it does not answer, or is newer."""
        found = cls(connected(where))
        try:
            with explained(found.name):
                found._check()
        except BaseException:
            found.close()
            raise
        return found

    def _check(self) -> None:
        with reading(self.engine) as connection:
            known = _version(connection)
        if known > NEWEST:
            message = f"the history is of a newer version of memrunbook (its tables stand at {known})"
            raise JournalError(message, where=self.name, hint="update memrunbook here")
        if known < NEWEST:
            self._make()

    def _make(self) -> None:
        with writing(self.engine) as connection:
            one_at_a_time(connection, WRITES)
            known = _version(connection)  # another process may have been at it first
            for statement in POSTGRESQL.made(known):
                connection.execute(sa.text(statement))
            VERSION.create(connection, checkfirst=True)
            connection.execute(sa.delete(VERSION))
            connection.execute(sa.insert(VERSION), {"number": NEWEST})

    @property
    def name(self) -> str:
        """Where it is, without its password."""
        return shown_url(self.engine.url)

    @contextmanager
    def reading(self) -> Iterator[ServerRows]:
        """A transaction that only reads."""
        with explained(self.name), reading(self.engine) as connection:
            yield ServerRows(connection)

    @contextmanager
    def writing(self) -> Iterator[ServerRows]:
        """A transaction that writes."""
        with explained(self.name), writing(self.engine) as connection:
            one_at_a_time(connection, WRITES)
            yield ServerRows(connection)

    def close(self) -> None:
        """Lets go of its connections."""
        let_go(self.engine)


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(VERSION.name):
        return 0
    return int(connection.scalar(sa.select(sa.func.max(VERSION.c.number))) or 0)
