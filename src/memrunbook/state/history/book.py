"""One host's pages of the history, in a transaction that writes: whose they are, its series, its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from memrunbook.core.reading.series import Observation, Series
from memrunbook.state.history.database import Rows
from memrunbook.state.history.points import (
    MILLISECONDS,
    MOST_HOSTS,
    MOST_SLOTS,
    Fine,
    folded,
    hour_of,
    key,
    pack_coarse,
    pack_fine,
    time_of,
    unpack_coarse,
    unpack_fine,
)

DAY = 86_400 * MILLISECONDS
OWNERS = (
    "SELECT id, owner, machine, name, newest, folded FROM history_hosts"
    " WHERE name = :name OR (machine = :machine AND machine <> '')"
)
ENTER = (
    "INSERT INTO history_hosts (id, owner, machine, name, newest, folded)"
    " VALUES (:id, :owner, :machine, :name, :newest, :folded)"
)
OWN = "UPDATE history_hosts SET owner = id WHERE id = :id"
FOLDED = "UPDATE history_hosts SET folded = :at WHERE id = :host"
SERIES = "SELECT slot, kind, name, figure, life, most, latest FROM history_series WHERE host = :host"
ADD_SERIES = (
    "INSERT INTO history_series (host, slot, kind, name, figure, life, most, latest)"
    " VALUES (:host, :slot, :kind, :name, :figure, :life, :most, :latest)"
)
TOUCH = "UPDATE history_series SET latest = :latest WHERE host = :host AND slot = :slot"
BETWEEN = "SELECT at, points FROM history_readings WHERE at >= :first AND at <= :last ORDER BY at"
PUT = (
    "INSERT INTO history_readings (at, points) VALUES (:at, :points)"
    " ON CONFLICT (at) DO UPDATE SET points = excluded.points"
)
TOGETHER = 120 * MILLISECONDS
"""Two boots of one machine are hardly read within less, and those of two machines by one command are."""
LARGEST = 1e30
"""Values beyond it are nonsense that a host has told."""
V = TypeVar("V")
Identity = tuple[str, str, str, str, float | None]
"""What makes a series of its own: kind, name, figure, life and limit."""


class Boot(NamedTuple):
    """Which boot of a machine a reading is of, and when it was read; `life` is empty where nobody says so."""

    life: str = ""
    at: int = 0


NO_BOOT = Boot()


class HistoryFullError(Exception):
    """There are more hosts than the key of a row has room for."""


@dataclass
class Book:
    """A host's pages. `owner` is the number that its rows are under, of whatever name it is reached by.

    `newest` is when its newest reading was kept, `folded` the hour before which all rows are coarse; milliseconds.
    `twin` is the name of the machine that this one was just told apart from: both have the same machine-id.
    """

    rows: Rows
    owner: int
    newest: int
    folded: int
    slots: dict[Identity, int] = field(default_factory=dict)
    latest: dict[int, int] = field(default_factory=dict)
    twin: str = ""

    @classmethod
    def of(cls, rows: Rows, host: str, machine: str, begin: int, boot: Boot = NO_BOOT) -> Book:
        """The pages of a host; one that was not known is entered. No row from `begin` on is taken for coarse.

        Machines made of one image share a machine-id: a reading's `boot` tells them apart.
        """
        known = rows.all(OWNERS, name=host, machine=machine)
        same = [row for row in known if row[2] == machine and (machine or row[3] == host)]
        mine = next((row for row in same if row[3] == host), None)
        owners = [row for row in same if row[0] == row[1] and (mine is None or row[0] == mine[1])]
        books = [cls._opened(rows, row, begin) for row in owners]
        if mine is not None and mine[0] == mine[1]:
            return books[0]
        book = _fitting(books, boot)
        owner = 0 if book is None else book.owner
        if mine is None:
            owner = _enter(rows, host, machine, owner, begin)
        elif book is None:
            owner = int(mine[0])
            rows.do(OWN, [{"id": owner}])
        twin = str(owners[0][3]) if owners and boot.life else ""
        return cls(rows, owner, -DAY, begin, twin=twin) if book is None else book

    @classmethod
    def _opened(cls, rows: Rows, row: Sequence[Any], begin: int) -> Book:
        owner, newest, until = int(row[0]), int(row[4]), int(row[5])
        if until > begin:  # the clock was ahead: what comes now is fine all the same
            rows.do(FOLDED, [{"at": begin, "host": owner}])
        book = cls(rows, owner, newest, min(until, begin))
        for slot, *identity, latest in rows.all(SERIES, host=owner):
            book.slots[_identity(identity)] = slot
            book.latest[slot] = max(latest, book.latest.get(slot, 0))
        return book

    def last_boot(self) -> str:
        """The boot-id that the newest reading told; empty where it told none, or is an hour by now."""
        row = unpack_fine(self._known([self.newest], coarse=False).get(self.newest, b""))
        return next((one[3] for one, slot in self.slots.items() if one[0] == "host" and slot in row), "")

    def is_twin_of(self, boot: Boot) -> bool:
        """True where no one machine can have had this boot and the last one that is known.

        They are too close in time, or it had begun before that one.
        """
        if not boot.life or self.last_boot() in ("", boot.life):
            return False
        known = any(one[0] == "host" and one[3] == boot.life for one in self.slots)
        return known or abs(boot.at - self.newest) < TOGETHER

    def add(self, series: Sequence[Series], oldest: int) -> None:
        """Adds points; those before `oldest` are left out, and what is known already changes nothing."""
        fine: dict[int, Fine] = {}
        coarse: dict[int, list[Fine]] = {}
        seen: dict[Identity, int] = {}
        for at, identity, _ in _each(series, oldest):
            seen[identity] = max(at, seen.get(identity, 0))
        slots = self._slots(seen)
        for at, identity, value in _each(series, oldest):
            slot = slots.get(identity)
            if slot is None:
                continue
            if at >= self.folded:
                fine.setdefault(at, {}).setdefault(slot, value)
            else:
                coarse.setdefault(hour_of(at), []).append({slot: value})
        self._put_fine(fine)
        hours = {hour: folded(rows) for hour, rows in coarse.items()}
        known = self._known(hours, coarse=True)
        self.put_coarse({hour: self._new(row, unpack_coarse(known.get(hour, b""))) for hour, row in hours.items()})

    def put_coarse(self, hours: Mapping[int, Mapping[int, tuple[float, float, float]]]) -> None:
        """Adds rows of hours; a series that an hour has already is left as it is."""
        known = self._known(hours, coarse=True)
        packed = ((hour, pack_coarse({**new, **unpack_coarse(known.get(hour, b""))})) for hour, new in hours.items())
        self._put(packed, coarse=True)

    def keep_newest(self, at: int) -> None:
        """Remembers when the newest reading was kept."""
        self.rows.do("UPDATE history_hosts SET newest = :at WHERE id = :host", [{"at": at, "host": self.owner}])

    def _put_fine(self, readings: Mapping[int, Fine]) -> None:
        known = self._known(readings, coarse=False)
        rows = {at: unpack_fine(known.get(at, b"")) for at in readings}
        packed = ((at, pack_fine({**self._new(new, rows[at]), **rows[at]})) for at, new in readings.items())
        self._put(packed, coarse=False)

    def _new(self, points: Mapping[int, V], known: Mapping[int, object]) -> dict[int, V]:
        """Those whose figure has no point there yet, of whatever life: records of others do not know all lives."""
        if not known:
            return dict(points)
        figures = {slot: one[:3] for one, slot in self.slots.items()}
        taken = {figures.get(slot) for slot in known}
        return {slot: value for slot, value in points.items() if figures.get(slot) not in taken}

    def _known(self, times: Iterable[int], *, coarse: bool) -> dict[int, bytes]:
        """The rows that are there at some of these times."""
        wanted = set(times)
        if not wanted:
            return {}
        first, last = key(self.owner, min(wanted), coarse=coarse), key(self.owner, max(wanted), coarse=coarse)
        found = self.rows.all(BETWEEN, first=first, last=last)
        return {time_of(place): points for place, points in found if time_of(place) in wanted}

    def _put(self, packed: Iterable[tuple[int, bytes]], *, coarse: bool) -> None:
        self.rows.do(PUT, [{"at": key(self.owner, at, coarse=coarse), "points": points} for at, points in packed])

    def _slots(self, seen: Mapping[Identity, int]) -> dict[Identity, int]:
        """The slots of series, new ones entered with the lowest free number; their latest points are told daily."""
        new = [identity for identity in seen if identity not in self.slots]
        taken = set(self.slots.values())
        free = iter(
            [slot for slot in range(min(MOST_SLOTS, len(taken) + len(new))) if slot not in taken] if new else []
        )
        entered = dict(zip(new, free, strict=False))
        fields = ("kind", "name", "figure", "life", "most")
        self.rows.do(
            ADD_SERIES,
            [
                {"host": self.owner, "slot": slot, "latest": seen[one], **dict(zip(fields, one, strict=True))}
                for one, slot in entered.items()
            ],
        )
        late = [
            {"host": self.owner, "slot": self.slots[one], "latest": at}
            for one, at in seen.items()
            if one in self.slots and at > self.latest[self.slots[one]] + DAY
        ]
        self.rows.do(TOUCH, late)
        self.slots |= entered
        self.latest |= {slot: seen[one] for one, slot in entered.items()}
        return {one: self.slots[one] for one in seen if one in self.slots}


def _fitting(books: Sequence[Book], boot: Boot) -> Book | None:
    """The one of a machine-id's histories that a name belongs to: the only one, or that of the same boot."""
    fitting = [book for book in books if not book.is_twin_of(boot)]
    certain = [book for book in fitting if boot.life and book.last_boot() == boot.life]
    return next(iter(certain or (fitting if len(books) == 1 else ())), None)


def _enter(rows: Rows, host: str, machine: str, owner: int, begin: int) -> int:
    """Enters a name, of an owner or (0) of its own; the owner's number."""
    number = int(rows.all("SELECT COALESCE(MAX(id), 0) FROM history_hosts")[0][0]) + 1
    if number >= MOST_HOSTS:
        raise HistoryFullError
    row = {"id": number, "owner": owner or number, "machine": machine, "name": host, "newest": -DAY, "folded": begin}
    rows.do(ENTER, [row])
    return owner or number


def _each(series: Sequence[Series], oldest: int) -> Iterable[tuple[int, Identity, float]]:
    for one in series:
        for point in one.points:
            at = round(point.at * MILLISECONDS)
            if at >= oldest and abs(point.value) < LARGEST:  # not so for what is no number
                yield at, _identity_of(one, point), point.value


def _identity_of(series: Series, point: Observation) -> Identity:
    return series.kind, series.name, series.figure, point.life, point.limit


def _identity(columns: Sequence[Any]) -> Identity:
    kind, name, figure, life, most = columns
    return kind, name, figure, life, most
