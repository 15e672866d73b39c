"""The queue of what receivers are told: survives a restart, is worked off by several processes, and is bounded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.queued import Queued
from memrunbook.core.units import DAY, HOUR, MINUTE
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, one_at_a_time, reading, writing
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
TOO_OLD = "too old by now; "
TURN = "memrunbook: notifications are queued or claimed"
OF = NOTIFICATIONS.c


def queue(  # noqa: PLR0913  what is left is joined in the same transaction
    store: Store,
    receiver: str,
    notifications: Iterable[Notification],
    repeat: float,
    now: float,
    *,
    join: Callable[[list[Notification]], list[Notification]] = lambda found: found,
) -> None:
    """Keeps what a receiver is to be told; what it was told less than `repeat` seconds ago is counted instead.

    What waits still is counted too; a time that is still to come was told by a wrong clock, and is none. What is left
    is joined into few messages.
    """
    with _turn(store) as connection:
        _take_back(connection, now)
        known = _known(connection, receiver)
        fresh: dict[str, Notification] = {}
        times: Counter[str] = Counter()
        counted: Counter[int] = Counter()
        for one in notifications:
            (subject,) = _subjects((one.key,))
            last = known.get(subject)
            if last is not None and (last.state == "waiting" or -MINUTE <= now - last.queued < repeat):
                counted[last.id] = 1 if one.host else counted[last.id] + 1
            else:
                fresh.setdefault(subject, one)
                times[subject] += 1
        for number, more in counted.items():
            seen = {"seen": OF.seen + more, "seen_at": now}
            connection.execute(sa.update(NOTIFICATIONS).where(OF.id == number).values(**seen))
        for one in join(list(fresh.values())):
            # all but the one that it was told of, and this one
            untold = [known[it].seen if it in known else 1 for it in _subjects(one.covers or (one.key,))]
            again = max(times[it] for it in _subjects(one.covers or (one.key,))) - 1
            connection.execute(sa.insert(NOTIFICATIONS), _row(receiver, one, max(untold) + again, now))
        _bound(connection, receiver, now)


def claim(store: Store, receivers: Collection[str], now: float, lease: float, *, every: bool = False) -> list[Queued]:
    """What is due for these receivers, the oldest first; nobody else gets it for `lease` seconds.

    With `every` also what is to be tried only later. What has waited for too long is given up. Times further ahead
    than any that is written are of a wrong clock, and hold nothing up.
    """
    free = sa.and_(OF.state == "waiting", sa.or_(OF.claimed < now, OF.claimed > now + lease))
    with _turn(store) as connection:
        _take_back(connection, now)
        old = {"state": "given-up", "ended": now, "problem": sa.func.substr(TOO_OLD + OF.problem, 1, 500)}
        connection.execute(sa.update(NOTIFICATIONS).where(free, OF.queued < now - OLDEST).values(**old))
        connection.execute(sa.delete(NOTIFICATIONS).where(OF.state != "waiting", OF.ended < now - KEPT))
        found: list[Queued] = []
        for receiver in receivers:
            due = free if every else sa.and_(free, sa.or_(OF.due <= now, OF.due > now + LONGEST_WAIT))
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
        one_at_a_time(connection, TURN)
        yield connection


def _take_back(connection: sa.Connection, now: float) -> None:
    """What a clock that was ahead gave up as too old waits still."""
    wrongly = (OF.state == "given-up", OF.ended > now + LONGEST_WAIT, OF.problem.startswith(TOO_OLD))
    values = {"state": "waiting", "ended": None, "problem": ""}
    connection.execute(sa.update(NOTIFICATIONS).where(*wrongly).values(**values))


class _Told(NamedTuple):
    """The newest message about a subject."""

    id: int
    state: str
    queued: float
    seen: int


class _Covers(Struct):
    key: str
    covers: tuple[str, ...] = ()


def _known(connection: sa.Connection, receiver: str) -> dict[str, _Told]:
    """The newest message about each subject, also where it was told together with others."""
    here = sa.and_(OF.receiver == receiver, OF.state != "given-up")
    asked = sa.select(OF.id, OF.state, OF.queued, OF.seen, OF.body).where(here).order_by(OF.id.desc())
    found: dict[str, _Told] = {}
    for row in connection.execute(asked.limit(MOST_WAITING)):
        told = msgspec.json.decode(row.body, type=_Covers)
        for subject in _subjects(told.covers or (told.key,)):
            found.setdefault(subject, _Told(row.id, row.state, row.queued, row.seen))
    return found


def _subjects(keys: Iterable[str]) -> list[str]:
    return [hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() for key in keys]


def _bound(connection: sa.Connection, receiver: str, now: float) -> None:
    """Gives up the oldest of more than may wait."""
    waiting = sa.and_(OF.receiver == receiver, OF.state == "waiting")
    first = sa.select(OF.id).where(waiting).order_by(OF.id.desc()).offset(MOST_WAITING - 1).limit(1)
    kept = connection.scalar(first)
    if kept is not None:
        values = {"state": "given-up", "ended": now, "problem": f"more than {MOST_WAITING} wait"}
        connection.execute(sa.update(NOTIFICATIONS).where(waiting, OF.id < kept).values(**values))


def _row(receiver: str, one: Notification, seen: int, now: float) -> dict[str, Any]:
    (subject,) = _subjects((one.key,))
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
