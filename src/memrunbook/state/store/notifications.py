"""The queue of what receivers are told: survives a restart, is worked off by several processes, and is bounded."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.queued import Queued
from memrunbook.core.units import DAY, HOUR, MINUTE
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading, writing
from memrunbook.state.store.tables import NOTIFICATIONS

MOST_WAITING = 1000
"""Of one receiver; the oldest of more are given up."""
MOST_ATTEMPTS = 12
OLDEST = 3 * DAY
"""What could not be told for so long, in seconds, nobody wants to be woken by."""
KEPT = 30 * DAY
"""How long what was sent or given up is listed, in seconds."""
FIRST_WAIT, LONGEST_WAIT = 30.0, HOUR
AT_ONCE = 20
"""Of one receiver, so that a long queue holds up nobody."""
TURN = "memrunbook: notifications are queued or claimed"
OF = NOTIFICATIONS.c


def queue(store: Store, receiver: str, notifications: Sequence[Notification], repeat: float, now: float) -> None:
    """Keeps what a receiver is to be told; what it was told less than `repeat` seconds ago is counted instead.

    What waits still is counted too.
    """
    with _turn(store) as connection:
        for one in notifications:
            subject = hashlib.sha256(one.key.encode("utf-8", "surrogatepass")).hexdigest()
            known = _latest(connection, receiver, subject)
            if known is not None and (known.state == "waiting" or now - known.queued < repeat):
                seen = {"seen": known.seen + 1, "seen_at": now}
                connection.execute(sa.update(NOTIFICATIONS).where(OF.id == known.id).values(**seen))
                continue
            untold = known.seen if known is not None else 1  # all but the one that it was told of, and this one
            connection.execute(sa.insert(NOTIFICATIONS), _row(receiver, subject, one, untold, now))
        _bound(connection, receiver, now)


def claim(store: Store, receivers: Collection[str], now: float, lease: float, *, every: bool = False) -> list[Queued]:
    """What is due for these receivers, the oldest first; nobody else gets it for `lease` seconds.

    With `every` also what is to be tried only later. What has waited for too long is given up.
    """
    free = sa.and_(OF.state == "waiting", OF.claimed < now)
    with _turn(store) as connection:
        old = {"state": "given-up", "ended": now, "problem": sa.func.substr("too old by now; " + OF.problem, 1, 500)}
        connection.execute(sa.update(NOTIFICATIONS).where(free, OF.queued < now - OLDEST).values(**old))
        connection.execute(sa.delete(NOTIFICATIONS).where(OF.state != "waiting", OF.ended < now - KEPT))
        found: list[Queued] = []
        for receiver in receivers:
            due = free if every else sa.and_(free, OF.due <= now)
            asked = sa.select(NOTIFICATIONS).where(due, OF.receiver == receiver).order_by(OF.id).limit(AT_ONCE)
            found += [_read(row) for row in connection.execute(asked)]
        mine = [one.id for one in found]
        connection.execute(sa.update(NOTIFICATIONS).where(OF.id.in_(mine)).values(claimed=now + lease))
    return found


def sent(store: Store, one: Queued, now: float) -> None:
    """It was taken."""
    _set(store, one, {"state": "sent", "ended": now, "attempts": one.attempts + 1, "problem": "", "claimed": 0.0})


def failed(store: Store, one: Queued, problem: str, now: float, after: float = 0.0) -> None:
    """It was not taken: tried again, each time later, until that was often enough.

    Not before `after` seconds, which its receiver asks for, but within an hour.
    """
    attempts = one.attempts + 1
    wait = min(LONGEST_WAIT, max(after, FIRST_WAIT * 4.0**one.attempts))
    values = {"attempts": attempts, "due": now + wait, "problem": problem[:500], "claimed": 0.0}
    if attempts >= MOST_ATTEMPTS:
        values |= {"state": "given-up", "ended": now}
    _set(store, one, values)


def put_back(store: Store, waiting: Sequence[Queued], now: float, after: float = 0.0) -> None:
    """What was claimed and not tried, since its receiver did not take the one before: later, and not counted."""
    due = now + min(LONGEST_WAIT, max(after, MINUTE))
    with explained(store.name), writing(store.engine) as connection:
        mine = OF.id.in_([one.id for one in waiting])
        connection.execute(sa.update(NOTIFICATIONS).where(mine, OF.state == "waiting").values(claimed=0.0, due=due))


def listed(store: Store, most: int = 200) -> list[Queued]:
    """What waits, and what was sent or given up of late; the newest first."""
    asked = sa.select(NOTIFICATIONS).order_by((OF.state == "waiting").desc(), OF.id.desc()).limit(most)
    with explained(store.name), reading(store.engine) as connection:
        return [_read(row) for row in connection.execute(asked)]


def counts(store: Store) -> dict[tuple[str, str], int]:
    """How many there are, by receiver and state."""
    asked = sa.select(OF.receiver, OF.state, sa.func.count()).group_by(OF.receiver, OF.state)
    with explained(store.name), reading(store.engine) as connection:
        return {(receiver, state): count for receiver, state, count in connection.execute(asked)}


@contextmanager
def _turn(store: Store) -> Iterator[sa.Connection]:
    """A transaction that looks and writes in one: two processes would both queue, or both send."""
    with explained(store.name), writing(store.engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(TURN, 0))))
        yield connection


def _latest(connection: sa.Connection, receiver: str, subject: str) -> Queued | None:
    here = sa.and_(OF.receiver == receiver, OF.subject == subject, OF.state != "given-up")
    row = connection.execute(sa.select(NOTIFICATIONS).where(here).order_by(OF.id.desc()).limit(1)).first()
    return None if row is None else _read(row)


def _bound(connection: sa.Connection, receiver: str, now: float) -> None:
    """Gives up the oldest of more than may wait."""
    waiting = sa.and_(OF.receiver == receiver, OF.state == "waiting")
    first = sa.select(OF.id).where(waiting).order_by(OF.id.desc()).offset(MOST_WAITING - 1).limit(1)
    kept = connection.scalar(first)
    if kept is not None:
        values = {"state": "given-up", "ended": now, "problem": f"more than {MOST_WAITING} wait"}
        connection.execute(sa.update(NOTIFICATIONS).where(waiting, OF.id < kept).values(**values))


def _row(receiver: str, subject: str, one: Notification, seen: int, now: float) -> dict[str, Any]:
    body = msgspec.json.encode(one).decode()
    fresh = {"queued": now, "seen": seen, "seen_at": now, "state": "waiting", "attempts": 0, "due": now}
    return {"receiver": receiver, "occasion": one.occasion, "subject": subject, "body": body, **fresh}


def _read(row: sa.Row[Any]) -> Queued:
    said = row._mapping  # noqa: SLF001  SQLAlchemy's own name for it
    fields = {name: said[name] for name in Queued.__struct_fields__ if name != "notification"}
    return Queued(**fields, notification=msgspec.json.decode(said["body"], type=Notification))


def _set(store: Store, one: Queued, values: dict[str, Any]) -> None:
    with explained(store.name), writing(store.engine) as connection:
        mine = sa.and_(OF.id == one.id, OF.state == "waiting")
        connection.execute(sa.update(NOTIFICATIONS).where(mine).values(**values))
