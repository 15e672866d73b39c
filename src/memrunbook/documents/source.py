"""A file as plain values, and where each of them stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Extent:
    """Where something begins and the line on which it ends; lines and columns are counted from 0."""

    line: int
    column: int
    end: int


@dataclass(frozen=True)
class Source:
    """A file as plain values. `digest` is the SHA-256 of its bytes in hex.

    Expressions at places that are `unjudged` speak of what is not of its form: they are passed over.
    """

    name: str
    data: dict[str, Any]
    digest: str
    lines: tuple[str, ...]
    values: Mapping[Path, Extent]
    keys: Mapping[Path, Extent]
    unjudged: frozenset[Path] = frozenset()

    def where(self, path: Path = (), word: str = "") -> str:
        """The `file:line:column` of a value, or of the nearest thing around it that exists.

        With `word`, where that word stands in the text of the value: for a name inside an expression.
        """
        while path and path not in self.values:
            path = path[:-1]
        return self._shown(self._within(self.values[path], word))

    def line(self, path: Path = ()) -> str:
        """The `file:line` of a value, by the file's name alone: for sentences that say whose word something is."""
        folder, line = self.where(path).rsplit(":", 2)[:2]
        return f"{folder.rpartition('/')[2]}:{line}"

    def where_key(self, path: Path) -> str:
        """The `file:line:column` of the key under which a value stands; that of the value where there is no key."""
        return self._shown(self.keys[path]) if path in self.keys else self.where(path)

    def _within(self, span: Extent, word: str) -> Extent:
        for line, text in enumerate(self.lines[span.line : span.end + 1] if word else (), span.line):
            column = text.find(word, span.column if line == span.line else 0)
            if column >= 0:
                return Extent(line, column, line)
        return span

    def _shown(self, span: Extent) -> str:
        return f"{self.name}:{span.line + 1}:{span.column + 1}"


def texts(
    value: object, path: Path = (), whole: Callable[[str], bool] = lambda _key: False
) -> Iterator[tuple[Path, str]]:
    """Every text inside of plain values with its path; of what a `whole` key holds the key alone."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from texts(item, (*path, place), whole)
    elif isinstance(value, dict):
        for key, entry in value.items():
            inside = key if whole(str(key)) else entry
            yield from texts(inside, (*path, key), whole)
