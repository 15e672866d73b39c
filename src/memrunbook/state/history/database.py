"""What the history needs of a database: few statements, with values by name, in transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """A transaction."""

    def all(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a question has."""

    def do(self, statement: str, values: Sequence[Mapping[str, object]]) -> None:
        """Does a statement once for each of these values."""


class Database(Protocol):
    """Where the tables are. What it raises is a JournalError; whatever is wrong with it."""

    @property
    def name(self) -> str:
        """Where it is, for people."""

    def reading(self) -> AbstractContextManager[Rows]:
        """A transaction that only reads."""

    def writing(self) -> AbstractContextManager[Rows]:
        """A transaction that writes, whole or not at all; one at a time, whoever writes."""

    def close(self) -> None:
        """Lets go of its connections."""
