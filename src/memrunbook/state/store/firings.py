"""Firings of schedules: whoever writes one first has it; what became of each; who schedules, and is still there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from msgspec import Struct, structs

from memrunbook.core.schedule import Due, Moment
from memrunbook.core.units import DAY
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, insert_once, reading, writing
from memrunbook.state.store.tables import FIRINGS, SCHEDULERS, SCHEDULES, SHADOWS, SIGHTINGS

FiringState = Literal[
    "running",
    "done",
    "failed",
    "refused",
    "waits",
    "missed",
    "overlapped",
    "paused",
    "frozen",
    "alerting",
    "blocked",
    "interrupted",
]
"""running: under way; done: ran, or planned, and nothing is left to do; failed: a host is not as it should be;
refused: a rule of safety said no; waits: a plan waits for a person; missed: nobody was there in time;
overlapped: the one before still ran; paused, frozen, alerting: held back so, as its schedule asks;
blocked: what it rests on could not be read or asked, or is not there; interrupted: its scheduler was stopped, or died,
in the middle: it is not repeated.
"""
SILENT_AFTER = 90.0
"""Seconds without a word of its owner, after which a firing that runs is given up: it is never begun again.

A word that is so far ahead was said by a wrong clock, and is none.
"""
NOT_DONE: tuple[FiringState, ...] = ("missed", "overlapped", "paused", "frozen", "alerting", "blocked")
"""States of firings of which nothing was carried out."""
KEPT = 90 * DAY
"""Seconds that firings and what would have been done are kept."""
CLAIMS = "memrunbook: a firing is claimed"
"""What a server is asked to lock by while a firing is claimed: one that overlaps is seen by whoever comes second."""


class Firing(Struct, frozen=True, kw_only=True):
    """One firing: its nominal time, since when it is decided, when its owner was last heard of, and how it ended.

    Times are in seconds since 1970. `count` is more than 1 where one record stands for several that were missed.
    """

    id: str
    schedule: str
    nominal: float
    state: FiringState
    at: float
    beat: float
    ended: float | None = None
    owner: str = ""
    run: str = ""
    why: str = ""
    count: int = 1


class FiringEnd(NamedTuple):
    """How a firing ended, the run that it made, and in a sentence why."""

    state: FiringState
    run: str = ""
    why: str = ""


class KeptSchedule(Struct, frozen=True, kw_only=True):
    """What is kept of a schedule: until when it is decided, how many firings failed in a row, whether it is paused."""

    name: str
    decided: float
    failures: int = 0
    paused: float | None = None
    why: str = ""


class SchedulerBeat(Struct, frozen=True):
    """A scheduler: who it is, when it was last heard of, whether it stopped as it was told to.

    `told` that somebody was told of its silence.
    """

    owner: str
    at: float
    stopped: bool = False
    told: bool = False


def claim(store: Store, moment: Moment, owner: str, now: float, own: str = "") -> FiringState | None:
    """Has a firing for its owner: `running`, or why it is not to be carried out; None where somebody else has it.

    Looked and written in one: of two that come at once one has it, and one of two that overlap is recorded as that.
    `own` is the firing of the same schedule that its owner is at: the store may be another one by now.
    """
    with explained(store.name), writing(store.engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(CLAIMS, 0))))
        _let_go(connection, moment.id, now)
        state, why = _may_run(connection, moment.schedule, now)
        if own and state == "running":
            state, why = "overlapped", f"{own} still ran"
        firing = _firing(moment, now, state=state, owner=owner, why=why)
        return state if _insert(connection, [firing]) else None


def record_missed(store: Store, found: Due, now: float, why: Mapping[str, str]) -> int:
    """Records firings that were missed, by their ids why; those before the ones that are told count with the first.

    How many are new.
    """
    missed = found.missed
    counts = [1 + found.before, *[1] * (len(missed) - 1)]
    rows = [
        _firing(one, now, state="missed", why=why.get(one.id, ""), count=count)
        for one, count in zip(missed, counts, strict=True)
    ]
    with explained(store.name), writing(store.engine) as connection:
        for row in rows:
            _let_go(connection, row["id"], now)
        return sum(_insert(connection, [row]) for row in rows)


def beat(store: Store, ids: Iterable[str], now: float) -> None:
    """Their owner is still there."""
    with explained(store.name), writing(store.engine) as connection:
        mine = sa.and_(FIRINGS.c.id.in_(list(ids)), FIRINGS.c.state == "running")
        connection.execute(sa.update(FIRINGS).where(mine).values(beat=now))


def end(store: Store, firing: str, how: FiringEnd, now: float) -> int:
    """Remembers how a firing ended; how many of its schedule have failed in a row by now."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.update(FIRINGS).where(FIRINGS.c.id == firing).values(ended=now, **how._asdict()))
        name = connection.scalar(sa.select(FIRINGS.c.schedule).where(FIRINGS.c.id == firing)) or ""
        return _count(connection, name, how.state)


def give_up(store: Store, now: float) -> tuple[Firing, ...]:
    """Ends those whose owner has not been heard of: they are interrupted, and not begun again. Those that it ended."""
    silent = sa.and_(FIRINGS.c.state == "running", sa.not_(_heard(now)))
    with explained(store.name), writing(store.engine) as connection:
        found = [_cut_off(_read(row), now) for row in connection.execute(sa.select(FIRINGS).where(silent)).mappings()]
        return tuple(one for one in found if _give_up(connection, one))


def firings(store: Store, schedule: str = "", most: int = 100) -> tuple[Firing, ...]:
    """The latest firings of a schedule, or of all, the newest first."""
    asked = sa.select(FIRINGS).order_by(FIRINGS.c.at.desc(), FIRINGS.c.nominal.desc()).limit(most)
    asked = asked.where(FIRINGS.c.schedule == schedule) if schedule else asked
    with explained(store.name), reading(store.engine) as connection:
        return tuple(_read(row) for row in connection.execute(asked).mappings())


def kept(store: Store) -> dict[str, KeptSchedule]:
    """What is kept of each schedule, by its name."""
    with explained(store.name), reading(store.engine) as connection:
        rows = connection.execute(sa.select(SCHEDULES)).mappings()
        return {row["name"]: KeptSchedule(**row) for row in rows}


def decide_until(store: Store, names: Iterable[str], now: float) -> None:
    """All firings of these schedules are decided until now; one that was not known is known from now on."""
    with explained(store.name), writing(store.engine) as connection:
        for name in names:
            insert_once(connection, SCHEDULES, {"name": name, "decided": now})
            connection.execute(sa.update(SCHEDULES).where(SCHEDULES.c.name == name).values(decided=now))


def pause(store: Store, name: str, now: float, why: str) -> None:
    """Nothing of this schedule is carried out until it is resumed."""
    _set(store, name, now, {"paused": now, "why": why})


def resume(store: Store, name: str, now: float) -> None:
    """It goes on, with what is due from now on, and has not failed so far."""
    _set(store, name, now, {"paused": None, "why": "", "failures": 0, "decided": now})


def scheduling(store: Store, owner: str, now: float, *, stopped: bool = False) -> SchedulerBeat | None:
    """A scheduler is there, or has stopped as it was told; how it stood before."""
    with explained(store.name), writing(store.engine) as connection:
        row = connection.execute(sa.select(SCHEDULERS).where(SCHEDULERS.c.owner == owner)).mappings().first()
        values = {"at": now, "stopped": stopped, "told": False}
        if row is None:
            insert_once(connection, SCHEDULERS, {"owner": owner, **values})
            return None
        connection.execute(sa.update(SCHEDULERS).where(SCHEDULERS.c.owner == owner).values(**values))
        return SchedulerBeat(**row)


def schedulers(store: Store) -> tuple[SchedulerBeat, ...]:
    """Who schedules, the latest to be heard of first."""
    with explained(store.name), reading(store.engine) as connection:
        rows = connection.execute(sa.select(SCHEDULERS).order_by(SCHEDULERS.c.at.desc())).mappings()
        return tuple(SchedulerBeat(**row) for row in rows)


def was_told(store: Store, owner: str) -> None:
    """Somebody was told of the silence of a scheduler; that it goes again is told then, too."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.update(SCHEDULERS).where(SCHEDULERS.c.owner == owner).values(told=True))


def forget(store: Store, now: float) -> None:
    """Lets go of what is older than it is kept."""
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.delete(FIRINGS).where(FIRINGS.c.at < now - KEPT, FIRINGS.c.state != "running"))
        connection.execute(sa.delete(SHADOWS).where(SHADOWS.c.at < now - KEPT))
        connection.execute(sa.delete(SIGHTINGS).where(SIGHTINGS.c.until < now - KEPT))


def _give_up(connection: sa.Connection, one: Firing) -> bool:
    """True where it was still running: its owner, or another scheduler, may have ended it since it was looked at."""
    running = sa.and_(FIRINGS.c.id == one.id, FIRINGS.c.state == "running", FIRINGS.c.beat == one.beat)
    values = {"state": one.state, "ended": one.ended, "why": one.why}
    mine = connection.execute(sa.update(FIRINGS).where(running).values(**values)).rowcount == 1
    if mine:
        _count(connection, one.schedule, "failed")
    return mine


def _cut_off(one: Firing, now: float) -> Firing:
    why = f"{one.owner} was not heard of any more; it is not begun again"
    return structs.replace(one, state="interrupted", ended=now, why=why)


def _heard(now: float) -> sa.ColumnElement[bool]:
    return FIRINGS.c.beat.between(now - SILENT_AFTER, now + SILENT_AFTER)


def _let_go(connection: sa.Connection, firing: str, now: float) -> None:
    """A clock that was ahead decided of a firing before its time, and nothing was done: now it is its time."""
    wrongly = (FIRINGS.c.state.in_(NOT_DONE), FIRINGS.c.at > now + SILENT_AFTER)
    connection.execute(sa.delete(FIRINGS).where(FIRINGS.c.id == firing, *wrongly))


def _may_run(connection: sa.Connection, schedule: str, now: float) -> tuple[FiringState, str]:
    paused = connection.execute(sa.select(SCHEDULES.c.why).where(
        SCHEDULES.c.name == schedule, SCHEDULES.c.paused.is_not(None)
    )).first()  # fmt: skip
    if paused is not None:
        return "paused", str(paused[0])
    alive = (FIRINGS.c.state == "running", _heard(now))
    other = connection.scalar(sa.select(FIRINGS.c.id).where(FIRINGS.c.schedule == schedule, *alive).limit(1))
    return ("overlapped", f"{other} still ran") if other is not None else ("running", "")


def _firing(moment: Moment, now: float, **how: Any) -> dict[str, Any]:
    ended = None if how["state"] == "running" else now
    found = Firing(id=moment.id, schedule=moment.schedule, nominal=moment.nominal, at=now, beat=now, ended=ended, **how)
    return structs.asdict(found)


def _insert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> bool:
    return all(insert_once(connection, FIRINGS, row) for row in rows)


def _count(connection: sa.Connection, name: str, state: FiringState) -> int:
    """Failed in a row: one that went well begins anew; what was held back or stopped counts neither way."""
    mine = SCHEDULES.c.name == name
    if state == "failed":
        connection.execute(sa.update(SCHEDULES).where(mine).values(failures=SCHEDULES.c.failures + 1))
    elif state in ("done", "waits"):
        connection.execute(sa.update(SCHEDULES).where(mine).values(failures=0))
    return int(connection.scalar(sa.select(SCHEDULES.c.failures).where(mine)) or 0)


def _set(store: Store, name: str, now: float, values: Mapping[str, Any]) -> None:
    with explained(store.name), writing(store.engine) as connection:
        insert_once(connection, SCHEDULES, {"name": name, "decided": now})
        connection.execute(sa.update(SCHEDULES).where(SCHEDULES.c.name == name).values(**values))


def _read(row: sa.RowMapping) -> Firing:
    return Firing(**row)
