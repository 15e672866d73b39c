"""What is known of hosts from earlier readings: the port `Past` over the history's tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.core.reading.baseline import COUNTERS
from memrunbook.core.reading.keeping import Keeping
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.state.history.book import BETWEEN, NO_BOOT, OWNERS, SERIES, Book, Boot, HistoryFullError
from memrunbook.state.history.database import Database, Rows
from memrunbook.state.history.file import DamagedError
from memrunbook.state.history.folding import begin_of, oldest_of, sure_of, tidy, tidy_another
from memrunbook.state.history.points import (
    HOUR,
    MILLISECONDS,
    MOST_HOSTS,
    Coarse,
    Fine,
    key,
    time_of,
    unpack_coarse,
    unpack_fine,
)

R = TypeVar("R")
NAMES = "SELECT DISTINCT name FROM history_hosts ORDER BY name"
MOST_AT_ONCE = 100
"""Hosts of one transaction: others that write are not kept waiting by a thousand."""
AHEAD = 600 * MILLISECONDS
"""So much later than now a point may be: another control node's clock may be ahead of this one's."""
TWINS = "have the same machine-id and are two machines: the history keeps them apart from now on"
DIFFER = "give each its own, as a copied image needs: rm /etc/machine-id, systemd-machine-id-setup, then reboot"


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
    """The history, open. JournalError where it does not answer; what is kept is bounded by `keeping`.

    `said` is told in a sentence, and a hint, that two hosts are two machines though they have one machine-id.
    """

    database: Database
    now: Callable[[], float]
    keeping: Keeping = field(default_factory=Keeping)
    said: Callable[[str, str], object] = lambda _said, _hint: None

    def series(self, host: str, machine: str, since: float) -> tuple[Series, ...]:
        """The series of a host from a moment on (seconds since 1970), of whatever name it was reached by."""
        return self.told(host, machine, since)[0]

    def told(
        self, host: str, machine: str, since: float, figures: Collection[str] = ()
    ) -> tuple[tuple[Series, ...], tuple[Spread, ...]]:
        """The series of these figures (none: of all), and the extent of each.

        The points of hours are means, those of counters their last.
        """
        begin = round(since * MILLISECONDS)

        def read(rows: Rows) -> _Found:
            found = _Found(figures)
            for owner in _owners(rows, host, machine):
                found.read(rows, owner, begin, round(self.now() * MILLISECONDS) + AHEAD)
            return found

        found = _done(self.database.reading, read)
        return found.series(), found.spreads()

    def names(self, host: str) -> set[tuple[str, str]]:
        """Holder and figure of each series of a host, without their points."""

        def read(rows: Rows) -> list[tuple[Any, ...]]:
            return [row for owner in _owners(rows, host, "") for row in rows.all(SERIES, host=owner)]

        every = _done(self.database.reading, read)
        return {(name, figure) for _, _, name, figure, *_ in every}

    def keep(self, host: str, machine: str, series: Sequence[Series]) -> None:
        """Adds points; those that it has already (same holder, figure and time) change nothing.

        Points of an hour that is kept as one are added to it where that hour has none of their series.
        """
        now = self.now()

        def write(rows: Rows) -> None:
            book = _book(rows, host, machine, begin_of(self.keeping, now), self.database.name)
            sure = sure_of(book, now)
            book.add(series, oldest_of(self.keeping, now))
            tidy(book, self.keeping, now if sure is None else sure)

        _done(self.database.writing, write)

    def remember(self, readings: Sequence[HostPoints]) -> int:
        """Keeps readings of hosts, those apart of which a newer one was just kept; how many were."""
        some = (readings[begin : begin + MOST_AT_ONCE] for begin in range(0, len(readings), MOST_AT_ONCE))
        return sum(_done(self.database.writing, partial(self._remember_some, some=one)) for one in some)

    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts of which something is known."""
        found = _done(self.database.reading, lambda rows: rows.all(NAMES))
        return tuple(name for (name,) in found)

    def close(self) -> None:
        """Lets go of its connections."""
        self.database.close()

    def _remember_some(self, rows: Rows, some: Sequence[HostPoints]) -> int:
        done = [self._remember(rows, one) for one in some]
        sure = [one for one in done if one]
        if sure:
            tidy_another(rows, self.keeping, min(sure))
        return len([one for one in done if one is not None])

    def _remember(self, rows: Rows, reading: HostPoints) -> float | None:
        """Keeps one; None where that was not due, else how late it surely is, 0 where the host cannot tell yet."""
        now, at = self.now(), round(reading.at * MILLISECONDS)
        begin, boot = begin_of(self.keeping, now), Boot(_boot_of(reading.series), at)
        book = _book(rows, reading.host, reading.machine, begin, self.database.name, boot)
        if book.twin:
            self.said(f"{reading.host} and {book.twin} {TWINS}", DIFFER)
        if abs(at - book.newest) < self.keeping.apart * MILLISECONDS:
            return None
        sure = sure_of(book, now)
        book.add(reading.series, oldest_of(self.keeping, now))
        book.keep_newest(at)
        tidy(book, self.keeping, now if sure is None else sure)
        return sure or 0.0


def _done(transaction: Callable[[], AbstractContextManager[Rows]], work: Callable[[Rows], R]) -> R:
    """Does it in a transaction; once more where the file was found to be damaged meanwhile, and was set aside."""
    try:
        with transaction() as rows:
            return work(rows)
    except DamagedError:
        with transaction() as rows:
            return work(rows)


def _boot_of(series: Sequence[Series]) -> str:
    """The boot-id that a reading tells."""
    return next((point.life for one in series if one.kind == "host" for point in one.points if point.life), "")


def _book(rows: Rows, host: str, machine: str, begin: int, name: str, boot: Boot = NO_BOOT) -> Book:  # noqa: PLR0913, PLR0917
    try:
        return Book.of(rows, host, machine, begin, boot)
    except HistoryFullError:
        raise JournalError(f"the history holds {MOST_HOSTS} hosts and has room for no more", where=name) from None


def _owners(rows: Rows, host: str, machine: str) -> list[int]:
    """Under which numbers a host's rows are; without a machine those of every machine that ever had the name."""
    known = rows.all(OWNERS, name=host, machine=machine)
    named = {owner for _, owner, of, name, *_ in known if name == host and (not machine or of in (machine, ""))}
    same = {(owner, name) for _, owner, of, name, *_ in known if machine and of == machine}
    owners = {owner for owner, _ in same}
    # A name that is not known yet: where two machines have one machine-id, nobody knows which of them it is.
    return sorted(named if any(name == host for _, name in same) or len(owners) > 1 else named | owners)


class _Found:
    """The points of a host's series, and how far they lie apart; of these figures alone, without them of all."""

    def __init__(self, figures: Collection[str] = ()) -> None:
        self._figures = figures
        self._runs: dict[tuple[Kind, str, str], list[tuple[int, list[Observation]]]] = {}
        self._spreads: dict[tuple[Kind, str, str], tuple[float, float]] = {}

    def read(self, rows: Rows, owner: int, begin: int, end: int) -> None:
        """Adds what is known of one number, slot by slot: hundreds of thousands of points.

        What a clock that was ahead has left after `end` is not known yet.
        """
        wanted = self._figures
        slots = {row[0]: row[1:] for row in rows.all(SERIES, host=owner) if not wanted or row[3] in wanted}
        points: dict[int, list[Observation]] = {slot: [] for slot in slots}
        extremes: dict[int, list[float]] = {slot: [] for slot in slots}
        counters = {slot for slot, row in slots.items() if row[2] in COUNTERS}
        for at, hour in _coarse(rows, owner, begin, end):
            for slot in hour.keys() & slots.keys():
                least, mean, most = hour[slot]
                value = most if slot in counters else mean
                points[slot].append(Observation(at, value, *slots[slot][3:5]))
                extremes[slot] += (least, most)
        for at, fine in _fine(rows, owner, begin, end):
            for slot in fine.keys() & slots.keys():
                points[slot].append(Observation(at, fine[slot], *slots[slot][3:5]))
        for slot, found in points.items():
            kind, name, figure, _, _, latest = slots[slot]
            self._add((kind, name, figure), latest, found, extremes[slot])

    def series(self) -> tuple[Series, ...]:
        """The series, each in the order of time; of two runs of a holder within one hour the later one is last."""
        return tuple(Series(*one, _in_order(runs)) for one, runs in sorted(self._runs.items()))

    def spreads(self) -> tuple[Spread, ...]:
        """How far each lies apart, in the same order."""
        return tuple(Spread(*one, *apart) for one, apart in sorted(self._spreads.items()))

    def _add(self, one: tuple[Kind, str, str], latest: int, points: list[Observation], extremes: list[float]) -> None:
        if not points:
            return
        self._runs.setdefault(one, []).append((latest, points))
        values = [*extremes, *(point.value for point in points), *self._spreads.get(one, ())]
        self._spreads[one] = min(values), max(values)


def _in_order(runs: Sequence[tuple[int, list[Observation]]]) -> tuple[Observation, ...]:
    if len(runs) == 1:
        return tuple(runs[0][1])
    ordered = [point for _, points in sorted(runs, key=lambda run: run[0]) for point in points]
    return tuple(sorted(ordered, key=lambda point: point.at))


def _coarse(rows: Rows, owner: int, begin: int, end: int) -> Iterator[tuple[float, Coarse]]:
    """Each hour between two moments, at its middle."""
    first, last = key(owner, begin - HOUR // 2, coarse=True), key(owner, end - HOUR // 2, coarse=True)
    for place, packed in rows.all(BETWEEN, first=first, last=last):
        yield (time_of(place) + HOUR // 2) / MILLISECONDS, unpack_coarse(packed)


def _fine(rows: Rows, owner: int, begin: int, end: int) -> Iterator[tuple[float, Fine]]:
    """Each reading between two moments."""
    first, last = key(owner, begin, coarse=False), key(owner, end, coarse=False)
    for place, packed in rows.all(BETWEEN, first=first, last=last):
        yield time_of(place) / MILLISECONDS, unpack_fine(packed)
