"""Which alerts were answered, and how often each was told since: a look at a host is not made twice for one."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from memrunbook.core.units import DAY, MINUTE
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, one_at_a_time, writing
from memrunbook.state.store.tables import ALERTS

KEPT = 2 * DAY
CLAIMED = 2.0 * MINUTE
"""Seconds after which an alert is let go of whose answer nobody is at any more: told again, it is answered."""
CLAIM = ":"
"""Behind the fingerprint of one that is being answered: what was killed in the middle has answered nothing."""
TURN = "memrunbook: an alert is answered"
OF = ALERTS.c


def answered_before(store: Store, fingerprint: str, window: float, now: float) -> int:
    """How often this alert was told since it was answered, this time too; 0 where it is to be answered now.

    From now on it is claimed, until `was_answered` or `not_answered` says how that ended, or nobody renewed the claim.
    Two processes that are told the same at once: one of them answers. A time to come was told by a wrong clock.
    """
    with explained(store.name), writing(store.engine) as connection:
        one_at_a_time(connection, TURN)
        connection.execute(sa.delete(ALERTS).where(OF.at < now - KEPT))
        silent = sa.or_(OF.at < now - CLAIMED, OF.at > now + CLAIMED)
        connection.execute(sa.delete(ALERTS).where(OF.fingerprint == _claim(fingerprint), silent))
        told = sa.and_(OF.fingerprint == fingerprint, OF.at > now - window, OF.at <= now + CLAIMED)
        lately = sa.or_(told, OF.fingerprint == _claim(fingerprint))
        row = connection.execute(sa.select(OF.id, OF.seen).where(lately).order_by(OF.id.desc()).limit(1)).first()
        if row is None:
            connection.execute(sa.insert(ALERTS), {"fingerprint": _claim(fingerprint), "at": now, "seen": 1})
            return 0
        connection.execute(sa.update(ALERTS).where(OF.id == row.id).values(seen=row.seen + 1))
        return int(row.seen) + 1


def still_answering(store: Store, fingerprints: Sequence[str], now: float) -> None:
    """Whoever claimed these is still at it."""
    with explained(store.name), writing(store.engine) as connection:
        mine = OF.fingerprint.in_([_claim(one) for one in fingerprints])
        connection.execute(sa.update(ALERTS).where(mine).values(at=now))


def was_answered(store: Store, fingerprints: Sequence[str], now: float) -> None:
    """They are answered: for their window they are counted from now on."""
    with explained(store.name), writing(store.engine) as connection:
        for one in fingerprints:
            values = {"fingerprint": one, "at": now}
            connection.execute(sa.update(ALERTS).where(OF.fingerprint == _claim(one)).values(**values))


def not_answered(store: Store, fingerprint: str) -> None:
    """It could not be answered after all: told again, it is tried again."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.delete(ALERTS).where(OF.fingerprint.in_((fingerprint, _claim(fingerprint)))))


def _claim(fingerprint: str) -> str:
    """As long as the column is: all of it but the last character, which no two alerts tell apart."""
    return f"{fingerprint[:63]}{CLAIM}"
