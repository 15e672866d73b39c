"""What was changed where, and how runs ended: written before and after each change, read for the limits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from memrunbook.core.action.action import Change
from memrunbook.core.errors import JournalError, Refused
from memrunbook.core.plan.limits import (
    HELPED,
    STALE,
    Here,
    History,
    Limits,
    PastChange,
    PastRun,
    busy_elsewhere,
    held_back,
    peers_of,
)
from memrunbook.core.units import DAY
from memrunbook.runtime.brakes import NOT_BEGUN
from memrunbook.state.store.database import (
    address,
    connected,
    explained,
    one_at_a_time,
    opened,
    reading,
    shown_url,
    version_of,
    writing,
)
from memrunbook.state.store.engines import let_go
from memrunbook.state.store.tables import CHANGES, RUNS

REMEMBERED = 7 * DAY
PERSON = "look at the other hosts first; at a terminal a person may still allow it"
BEGINS = "memrunbook: a change begins"
"""What a server is asked to lock by while it is looked whether a change may begin."""
ENDS = "memrunbook: a run ends: "
"""The same, with the run's id, while it is looked whether its end is known."""


@dataclass(frozen=True)
class Store:
    """The store, open; safe with several threads, processes and control nodes.

    JournalError where it does not answer.
    """

    engine: sa.Engine

    @classmethod
    def open(cls, state: Path, place: str = "", password: str = "") -> Store:
        """The file in a state directory that exists, another file or a server; its tables are brought up to date."""
        return cls(opened(address(state, place, password)))

    @classmethod
    def as_it_is(cls, where: sa.URL) -> Store:
        """To look, for whoever may read alone; JournalError where its tables are not those of this version."""
        behind = version_of(where)
        if behind:
            raise JournalError(behind, hint="runbook doctor looks at the store")
        return cls(connected(where))

    @property
    def name(self) -> str:
        """Where it is, without its password."""
        return shown_url(self.engine.url)

    def history(self, change: Change, here: Here) -> History:
        """What the limits of a change on a host rest on."""
        with explained(self.name), reading(self.engine) as connection:
            return History(_changes(connection, change, here), _runs(connection, here))

    def begin(
        self, change: Change, step: str, here: Here, actor: str, limits: Limits | None = None
    ) -> int | PastChange:
        """Remembers that a change begins and returns its number; the other one where another host is at the same.

        Refused where it is beyond the `limits` by now; looked and written in one, or two would both be let through.
        Asked once more of the same moment, since the answer was lost, it is the number that it had.
        """
        with explained(self.name), writing(self.engine) as connection:
            one_at_a_time(connection, BEGINS)
            history = History(_changes(connection, change, here), _runs(connection, here))
            mine = _begun(connection, change, step, here, history)
            if mine is not None:
                return mine
            other = busy_elsewhere(change, here, history)
            if other is not None:
                return other
            held = held_back(change, here, history, limits) if limits else ()
            if held:
                raise Refused(held[0], hint=PERSON)
            row = {
                "run": here.run,
                "host": here.host,
                "machine": here.machine,
                "runbook": here.runbook,
                "step": step,
                "action": change.action,
                "target": change.target,
                "risk": int(change.risk),
                "actor": actor,
                "begun": here.now,
                "peers": "\n".join(peers_of(change, here)),
            }
            number = connection.scalar(sa.insert(CHANGES).returning(CHANGES.c.id), row)
            return int(number or 0)

    def end(self, number: int, state: str, now: float) -> None:
        """Remembers how a change ended."""
        with explained(self.name), writing(self.engine) as connection:
            connection.execute(sa.update(CHANGES).where(CHANGES.c.id == number).values(ended=now, state=state))

    def ran(self, here: Here, outcome: str, *, changed: bool) -> None:
        """Remembers how a run ended on a host; said once more of the same moment, it is remembered once."""
        where = {"run": here.run, "host": here.host, "machine": here.machine, "runbook": here.runbook}
        mine = sa.and_(CHANGES.c.run == here.run, CHANGES.c.host == here.host, CHANGES.c.ended.is_(None))
        with explained(self.name), writing(self.engine) as connection:
            one_at_a_time(connection, f"{ENDS}{here.run}")
            known = sa.and_(RUNS.c.run == here.run, RUNS.c.host == here.host, RUNS.c.at == here.now)
            if connection.scalar(sa.select(RUNS.c.id).where(known).limit(1)) is None:
                row = {**where, "outcome": outcome, "at": here.now, "changed": changed}
                connection.execute(sa.insert(RUNS), row)
            # begun before a crash, ended by the run that went on
            connection.execute(sa.update(CHANGES).where(mine).values(ended=here.now, state=outcome))

    def resolved(self, since: float) -> list[tuple[str, str, str, float]]:
        """Runbook, host, machine-id, and when its newest run after a moment has resolved its incident there."""
        known, newest = RUNS.c, sa.func.max(RUNS.c.at)
        asked = (
            sa.select(known.runbook, known.host, known.machine, newest)
            .where(known.at > since, known.outcome == HELPED, known.machine != "")
            .group_by(known.runbook, known.host, known.machine)
        )
        with explained(self.name), reading(self.engine) as connection:
            return [(runbook, host, machine, at) for runbook, host, machine, at in connection.execute(asked)]

    def about(self, targets: Collection[str], since: float) -> tuple[PastChange, ...]:
        """The changes of these targets on any host since a moment, the oldest first; what was not begun is left out."""
        known = CHANGES.c
        asked = (
            sa.select(*(known[name] for name in PastChange.__struct_fields__))
            .where(known.target.in_(sorted(targets)), known.begun > since, known.state != NOT_BEGUN)
            .order_by(known.begun, known.id)
        )
        with explained(self.name), reading(self.engine) as connection:
            return tuple(_past(*row) for row in connection.execute(asked))

    def of_host(self, host: str, machine: str, since: float) -> History:
        """What runs did on one host since a moment, and how they ended; what was not begun is left out."""
        asked = {"since": since, "host": host, "machine": machine}
        changes = sa.select(*(CHANGES.c[name] for name in PastChange.__struct_fields__)).where(
            _here(CHANGES, by_machine=bool(machine)),
            CHANGES.c.begun > sa.bindparam("since"),
            CHANGES.c.state != NOT_BEGUN,
        )
        runs = sa.select(*(RUNS.c[name] for name in PastRun.__struct_fields__)).where(
            _here(RUNS, by_machine=bool(machine)), RUNS.c.at > sa.bindparam("since")
        )
        with explained(self.name), reading(self.engine) as connection:
            done = connection.execute(changes.order_by(CHANGES.c.begun, CHANGES.c.id), asked)
            ended = connection.execute(runs.order_by(RUNS.c.at, RUNS.c.id), asked)
            return History(tuple(_past(*row) for row in done), tuple(PastRun(**row) for row in ended.mappings()))

    def close(self) -> None:
        """Lets go of its connections."""
        let_go(self.engine)


def _begun(connection: sa.Connection, change: Change, step: str, here: Here, history: History) -> int | None:
    """The number of this very beginning, where it was remembered and nobody heard of it; None where it was not."""
    if not any(one.run == here.run and one.begun == here.now and one.ended is None for one in history.changes):
        return None
    known = CHANGES.c
    mine = (known.run == here.run, known.host == here.host, known.step == step, known.begun == here.now)
    same = (known.action == change.action, known.target == change.target, known.ended.is_(None))
    found = connection.scalar(sa.select(known.id).where(*mine, *same).order_by(known.id).limit(1))
    return None if found is None else int(found)


def _changes(connection: sa.Connection, change: Change, here: Here) -> tuple[PastChange, ...]:
    """Those of this host in a week; of others what was done of late to the same target, and what has no end yet."""
    asked = {
        "since": here.now - REMEMBERED,
        "of_late": here.now - STALE,
        "target": change.target,
        "host": here.host,
        "machine": here.machine,
    }
    return tuple(_past(*row) for row in connection.execute(_changes_asked(by_machine=bool(here.machine)), asked))


def _past(*row: Any) -> PastChange:
    said = dict(zip(PastChange.__struct_fields__, row, strict=True))
    return PastChange(**{**said, "peers": tuple(said["peers"].splitlines())})


def _runs(connection: sa.Connection, here: Here) -> tuple[PastRun, ...]:
    asked = {
        "since": here.now - REMEMBERED,
        "runbook": here.runbook,
        "host": here.host,
        "machine": here.machine,
    }
    fields = PastRun.__struct_fields__
    rows = connection.execute(_runs_asked(by_machine=bool(here.machine)), asked)
    return tuple(PastRun(**dict(zip(fields, row, strict=True))) for row in rows)


# Made once: a run asks twice a step, and to make such a question costs more than to answer it.
@cache
def _changes_asked(*, by_machine: bool) -> sa.Select[Any]:
    known = CHANGES.c
    of_interest = sa.or_(known.target == sa.bindparam("target"), known.ended.is_(None))
    return (
        sa.select(*(known[name] for name in PastChange.__struct_fields__))
        .where(
            known.begun > sa.bindparam("since"),
            known.state != NOT_BEGUN,
            sa.or_(_here(CHANGES, by_machine=by_machine), sa.and_(of_interest, known.begun > sa.bindparam("of_late"))),
        )
        .order_by(known.begun, known.id)
    )


@cache
def _runs_asked(*, by_machine: bool) -> sa.Select[Any]:
    known = RUNS.c
    return (
        sa.select(*(known[name] for name in PastRun.__struct_fields__))
        .where(
            _here(RUNS, by_machine=by_machine),
            known.runbook == sa.bindparam("runbook"),
            known.at > sa.bindparam("since"),
        )
        .order_by(known.at, known.id)
    )


def _here(table: sa.Table, *, by_machine: bool) -> sa.ColumnElement[bool]:
    """Rows of this very host, by whatever name it was reached, where it has a mark of its own."""
    named = table.c.host == sa.bindparam("host")
    return sa.or_(named, table.c.machine == sa.bindparam("machine")) if by_machine else named
