"""One host's pages of the history, in a transaction that writes: whose they are, its series, its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
SERIES = "SELECT slot, kind, name, figure, life, most, latest FROM history_series WHERE host = :host"
ADD_SERIES = (
    "INSERT INTO history_series (host, slot, kind, name, figure, life, most, latest)"
    " VALUES (:host, :slot, :kind, :name, :figure, :life, :most, :latest)"
)
TOUCH = "UPDATE history_series SET latest = :latest WHERE host = :host AND slot = :slot"
BETWEEN = "SELECT at, points FROM history_readings WHERE at >= :first AND at <= :last"
PUT = (
    "INSERT INTO history_readings (at, points) VALUES (:at, :points)"
    " ON CONFLICT (at) DO UPDATE SET points = excluded.points"
)
LARGEST = 1e30
"""Values beyond it are nonsense that a host has told."""
Identity = tuple[str, str, str, str, float | None]
"""What makes a series of its own: kind, name, figure, life and limit."""


class HistoryFullError(Exception):
    """There are more hosts than the key of a row has room for."""


@dataclass
class Book:
    """A host's pages. `owner` is the number that its rows are under, of whatever name it is reached by.

    `newest` is when its newest reading was kept, `folded` the hour before which all rows are coarse; milliseconds.
    """

    rows: Rows
    owner: int
    newest: int
    folded: int
    slots: dict[Identity, int] = field(default_factory=dict)
    latest: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, host: str, machine: str, begin: int) -> Book:
        """The pages of a host; one that was not known is entered, its rows before `begin` are coarse."""
        known = rows.all(OWNERS, name=host, machine=machine)
        same = [row for row in known if row[2] == machine and (machine or row[3] == host)]
        if not any(row[3] == host for row in same):
            number = int(rows.all("SELECT COALESCE(MAX(id), 0) FROM history_hosts")[0][0]) + 1
            if number >= MOST_HOSTS:
                raise HistoryFullError
            owner = same[0][1] if same else number
            row = {"id": number, "owner": owner, "machine": machine, "name": host, "newest": -DAY, "folded": begin}
            rows.do(ENTER, [row])
            if not same:
                return cls(rows, owner, -DAY, begin)
        owner = int(same[0][1])
        first = next((row for row in same if row[0] == owner), same[0])
        book = cls(rows, owner, int(first[4]), int(first[5]))
        for slot, *identity, latest in rows.all(SERIES, host=owner):
            book.slots[_identity(identity)] = slot
            book.latest[slot] = max(latest, book.latest.get(slot, 0))
        return book

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
        self.put_coarse({hour: folded(rows) for hour, rows in coarse.items()})

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
        packed = ((at, pack_fine({**new, **unpack_fine(known.get(at, b""))})) for at, new in readings.items())
        self._put(packed, coarse=False)

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
