"""What is known of hosts from earlier readings: the port `Past` over the history's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.state.history.book import BETWEEN, OWNERS, SERIES, Book, HistoryFullError
from memrunbook.state.history.database import Database, Rows
from memrunbook.state.history.folding import begin_of, oldest_of, tidy, tidy_another
from memrunbook.state.history.points import (
    HOUR,
    LATEST,
    MILLISECONDS,
    MOST_HOSTS,
    key,
    time_of,
    unpack_coarse,
    unpack_fine,
)

MOST_AT_ONCE = 100
"""Hosts of one transaction: others that write are not kept waiting by a thousand."""


class HostPoints(Struct, frozen=True):
    """What one reading of a host has left, at `at` (seconds since 1970)."""

    host: str
    machine: str
    at: float
    series: tuple[Series, ...]


class Spread(Struct, frozen=True):
    """How far the points of a series lie apart, those within an hour that is kept as one included."""

    kind: Kind
    name: str
    figure: str
    least: float
    most: float


@dataclass(frozen=True)
class StoredPast:
    """The history, open. JournalError where it does not answer; what is kept is bounded by `keeping`."""

    database: Database
    now: Callable[[], float]
    keeping: Keeping = field(default_factory=Keeping)

    def series(self, host: str, machine: str, since: float) -> tuple[Series, ...]:
        """The series of a host from a moment on (seconds since 1970), of whatever name it was reached by."""
        return self.told(host, machine, since)[0]

    def told(self, host: str, machine: str, since: float) -> tuple[tuple[Series, ...], tuple[Spread, ...]]:
        """The series, and the extent of each: the points of hours are means."""
        found = _Found()
        begin = round(since * MILLISECONDS)
        with self.database.reading() as rows:
            for owner in _owners(rows, host, machine):
                found.read(rows, owner, begin)
        return found.series(), found.extents()

    def keep(self, host: str, machine: str, series: Sequence[Series]) -> None:
        """Adds points; those that it has already (same holder, figure and time) change nothing.

        Points of an hour that is kept as one are added to it where that hour has none of their series.
        """
        now = self.now()
        with self.database.writing() as rows:
            book = _book(rows, host, machine, begin_of(self.keeping, now), self.database.name)
            book.add(series, oldest_of(self.keeping, now))
            tidy(book, self.keeping, now)

    def remember(self, readings: Sequence[HostPoints]) -> int:
        """Keeps readings of hosts, those apart of which a newer one was just kept; how many were."""
        kept = 0
        for begin in range(0, len(readings), MOST_AT_ONCE):
            with self.database.writing() as rows:
                kept += sum(self._remember(rows, one) for one in readings[begin : begin + MOST_AT_ONCE])
                tidy_another(rows, self.keeping, self.now())
        return kept

    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts of which something is known."""
        with self.database.reading() as rows:
            return tuple(name for (name,) in rows.all("SELECT DISTINCT name FROM history_hosts ORDER BY name"))

    def close(self) -> None:
        """Lets go of its connections."""
        self.database.close()

    def _remember(self, rows: Rows, reading: HostPoints) -> bool:
        now, at = self.now(), round(reading.at * MILLISECONDS)
        book = _book(rows, reading.host, reading.machine, begin_of(self.keeping, now), self.database.name)
        if 0 <= at - book.newest < self.keeping.apart * MILLISECONDS:
            return False
        book.add(reading.series, oldest_of(self.keeping, now))
        book.keep_newest(at)
        tidy(book, self.keeping, now)
        return True


def _book(rows: Rows, host: str, machine: str, begin: int, name: str) -> Book:
    try:
        return Book.of(rows, host, machine, begin)
    except HistoryFullError:
        raise JournalError(f"the history holds {MOST_HOSTS} hosts and has room for no more", where=name) from None


def _owners(rows: Rows, host: str, machine: str) -> list[int]:
    """Under which numbers a host's rows are; without a machine those of every machine that ever had the name."""
    known = rows.all(OWNERS, name=host, machine=machine)
    return sorted({owner for _, owner, of, *_ in known if not machine or of in (machine, "")})


class _Found:
    """The points of a host's series, and how far they lie apart."""

    def __init__(self) -> None:
        self._points: dict[tuple[Kind, str, str], list[tuple[int, int, Observation]]] = {}
        self._extents: dict[tuple[Kind, str, str], tuple[float, float]] = {}

    def read(self, rows: Rows, owner: int, begin: int) -> None:
        """Adds what is known of one number."""
        slots = {row[0]: row[1:] for row in rows.all(SERIES, host=owner)}
        for at, slot, least, mean, most in _values(rows, owner, begin):
            if slot in slots:
                kind, name, figure, life, limit, latest = slots[slot]
                one = (kind, name, figure)
                self._points.setdefault(one, []).append((at, latest, Observation(at / MILLISECONDS, mean, life, limit)))
                lowest, highest = self._extents.get(one, (least, most))
                self._extents[one] = min(lowest, least), max(highest, most)

    def series(self) -> tuple[Series, ...]:
        """The series, each in the order of time; of two runs of a holder within one hour the later one is last."""
        return tuple(
            Series(*one, tuple(point for *_, point in sorted(points, key=lambda known: known[:2])))
            for one, points in sorted(self._points.items())
        )

    def extents(self) -> tuple[Spread, ...]:
        """The extents, in the same order."""
        return tuple(Spread(*one, *apart) for one, apart in sorted(self._extents.items()))


def _values(rows: Rows, owner: int, begin: int) -> Iterator[tuple[int, int, float, float, float]]:
    """Time, slot, least, mean and largest of each point from a moment on; an hour stands in its middle."""
    first = key(owner, begin - HOUR // 2, coarse=True)
    for place, packed in rows.all(BETWEEN, first=first, last=key(owner, LATEST, coarse=True)):
        for slot, (least, mean, most) in unpack_coarse(packed).items():
            yield time_of(place) + HOUR // 2, slot, least, mean, most
    first = key(owner, begin, coarse=False)
    for place, packed in rows.all(BETWEEN, first=first, last=key(owner, LATEST, coarse=False)):
        for slot, value in unpack_fine(packed).items():
            yield time_of(place), slot, value, value, value
