"""What firings that only plan found on hosts: a row for as long as nothing changes there, and what they would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from memrunbook.core.plan.shadows import HostSighting, Shadow, joined
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading, writing
from memrunbook.state.store.tables import SHADOWS, SIGHTINGS

FIELDS = HostSighting.__struct_fields__


def keep_shadows(store: Store, shadows: Sequence[Shadow]) -> None:
    """Remembers what would have been done; those of a firing that are known already are replaced."""
    if shadows:
        firings = {one.firing for one in shadows}
        with explained(store.name), writing(store.engine) as connection:
            connection.execute(sa.delete(SHADOWS).where(SHADOWS.c.firing.in_(sorted(firings))))
            connection.execute(sa.insert(SHADOWS), [structs.asdict(one) for one in shadows])


def shadows(store: Store, schedule: str, since: float = 0.0) -> tuple[Shadow, ...]:
    """What a schedule would have done since a moment, in the order of time."""
    asked = sa.select(*(SHADOWS.c[name] for name in Shadow.__struct_fields__))
    asked = asked.where(SHADOWS.c.schedule == schedule, SHADOWS.c.at >= since).order_by(SHADOWS.c.at, SHADOWS.c.id)
    with explained(store.name), reading(store.engine) as connection:
        return tuple(Shadow(**row) for row in connection.execute(asked).mappings())


def keep_sightings(store: Store, seen: Iterable[HostSighting]) -> None:
    """Remembers what one firing found; a host that is as it was has one row with more firings."""
    mine = list(seen)
    if not mine:
        return
    with explained(store.name), writing(store.engine) as connection:
        newest = _newest(connection, mine[0].schedule)
        new, longer = [], []
        for one in mine:
            number, last = newest.get(one.host, (0, None))
            both = None if last is None else joined(last, one)
            if both is None:
                new.append(structs.asdict(one))
            else:
                longer.append({"number": number, "until": both.until, "count": both.count, "widest": both.widest})
        if new:
            connection.execute(sa.insert(SIGHTINGS), new)
        if longer:
            values: dict[str, Any] = {name: sa.bindparam(name) for name in ("until", "count", "widest")}
            known = sa.update(SIGHTINGS).where(SIGHTINGS.c.id == sa.bindparam("number"))
            connection.execute(known.values(values), longer)


def schedules_seen(store: Store) -> tuple[str, ...]:
    """The names of the schedules of which something is kept."""
    asked = sa.select(SIGHTINGS.c.schedule).distinct().order_by(SIGHTINGS.c.schedule)
    with explained(store.name), reading(store.engine) as connection:
        return tuple(connection.scalars(asked))


def sightings(store: Store, schedule: str) -> tuple[HostSighting, ...]:
    """What firings of a schedule found, in the order in which they did."""
    asked = sa.select(*(SIGHTINGS.c[name] for name in FIELDS)).order_by(SIGHTINGS.c.id)
    with explained(store.name), reading(store.engine) as connection:
        rows = connection.execute(asked.where(SIGHTINGS.c.schedule == schedule)).mappings()
        return tuple(_read(row) for row in rows)


def _newest(connection: sa.Connection, schedule: str) -> dict[str, tuple[int, HostSighting]]:
    """By host the number of its newest row, and that row."""
    known = SIGHTINGS.c
    newest = sa.select(sa.func.max(known.id)).where(known.schedule == schedule).group_by(known.host)
    rows = connection.execute(sa.select(SIGHTINGS).where(known.id.in_(newest))).mappings()
    return {row["host"]: (row["id"], _read(row)) for row in rows}


def _read(row: sa.RowMapping) -> HostSighting:
    said: dict[str, Any] = {name: row[name] for name in FIELDS}
    return HostSighting(**said)
