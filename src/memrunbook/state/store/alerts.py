"""Which alerts were answered, and how often each was told since: a look at a host is not made twice for one."""

from __future__ import annotations

import sqlalchemy as sa

from memrunbook.core.units import DAY
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, writing
from memrunbook.state.store.tables import ALERTS

KEPT = 2 * DAY
TURN = "memrunbook: an alert is answered"
OF = ALERTS.c


def answered_before(store: Store, fingerprint: str, window: float, now: float) -> int:
    """How often this alert was told since it was answered, this time too; 0 where it is to be answered now.

    From now on it counts as answered. Two processes that are told the same at once: one of them answers.
    """
    with explained(store.name), writing(store.engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(TURN, 0))))
        connection.execute(sa.delete(ALERTS).where(OF.at < now - KEPT))
        lately = sa.and_(OF.fingerprint == fingerprint, OF.at > now - window)
        row = connection.execute(sa.select(OF.id, OF.seen).where(lately).order_by(OF.id.desc()).limit(1)).first()
        if row is None:
            connection.execute(sa.insert(ALERTS), {"fingerprint": fingerprint, "at": now, "seen": 1})
            return 0
        connection.execute(sa.update(ALERTS).where(OF.id == row.id).values(seen=row.seen + 1))
        return int(row.seen) + 1


def not_answered(store: Store, fingerprint: str) -> None:
    """It could not be answered after all: told again, it is tried again."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.delete(ALERTS).where(OF.fingerprint == fingerprint))
