"""What is told of each schedule to those who watch it: when it was carried out last, and how it stands."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading
from memrunbook.state.store.tables import FIRINGS, SCHEDULES

NOT_BEGUN = ("missed", "overlapped", "paused", "frozen", "alerting", "blocked")
"""Firings that came to nothing: only one that was carried out says that the schedule lives."""


class ScheduleFigures(Struct, frozen=True):
    """A schedule: when its newest firing was begun (seconds since 1970), failures in a row, whether it is paused."""

    name: str
    begun: float | None
    failures: int
    paused: bool


def figures_of_schedules(store: Store) -> list[ScheduleFigures]:
    """Every schedule that a scheduler knows, by name."""
    carried_out = sa.and_(FIRINGS.c.schedule == SCHEDULES.c.name, FIRINGS.c.state.not_in(NOT_BEGUN))
    begun = sa.select(sa.func.max(FIRINGS.c.at)).where(carried_out).scalar_subquery()
    asked = sa.select(SCHEDULES.c.name, begun, SCHEDULES.c.failures, SCHEDULES.c.paused).order_by(SCHEDULES.c.name)
    with explained(store.name), reading(store.engine) as connection:
        return [
            ScheduleFigures(name, at, failures, held is not None)
            for name, at, failures, held in connection.execute(asked)
        ]
