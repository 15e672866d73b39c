"""Parts of orders as a worker sees them: it begins one, tells of it as it goes, and brings it to its end.

Each beginning of a part is an attempt of its own. Whoever begins it takes it from the one before, whose word counts no
more: before a change is carried out its record stands here, by the attempt that has the part, or it is not carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.run.event import Outcome
from memrunbook.core.run.placed import Placed
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading, writing
from memrunbook.state.store.node_tables import ORDERS, PARTS, TOLD, WORKERS
from memrunbook.state.store.orders import HEARD_WITHIN, packed, unpacked


class Superseded(JournalError):  # noqa: N818  what it says of the worker
    """Another worker has taken over this part of a run: nothing more is done of it here."""


class TakenPart(Struct, frozen=True, kw_only=True):
    """A part that a worker has begun: `told` are the records of all attempts before, `number` how often was told.

    `node` is where the one before it ran, empty for the first.
    """

    id: str
    order: str
    hosts: tuple[Host, ...]
    placed: Placed
    attempt: int
    number: int
    node: str = ""
    told: tuple[bytes, ...] = ()


class EndedElsewhere(Struct, frozen=True):
    """A part, the node on which it came to its end, and how it ended."""

    part: str
    node: str
    outcome: Outcome


class PartTelling(Struct, frozen=True, kw_only=True):
    """Records of a part that are told now, behind the `number` of times that was told before."""

    part: str
    attempt: int
    number: int
    lines: tuple[bytes, ...] = ()


class Wished(Struct, frozen=True, kw_only=True):
    """What a worker is told of a part that it is at: whether it is `mine` still, to stop, and the answer at its gate.

    `attended`: somebody is there to answer gates; `gone`: whoever was there has said goodbye.
    """

    mine: bool = False
    stop: bool = False
    answer: str = ""
    attended: bool = False
    gone: bool = False


@dataclass(frozen=True)
class WorkerParts:
    """The parts of a store, for a worker on a node; JournalError where it does not answer."""

    store: Store
    worker: str
    node: str

    def begin(self, part: str, now: float) -> TakenPart | None:
        """Begins a part, or goes on with one of which the worker is gone; None where nothing is left to do of it."""
        free = sa.and_(PARTS.c.id == part, PARTS.c.state.in_(("waiting", "running")))
        with explained(self.store.name), writing(self.store.engine) as connection:
            row = connection.execute(sa.select(PARTS).where(free).with_for_update()).mappings().first()
            if row is None:
                return None
            body = connection.scalar(sa.select(ORDERS.c.body).where(ORDERS.c.id == row["order_id"]))
            if body is None:
                return None
            attempt = row["attempt"] + 1
            values = {
                "state": "running",
                "attempt": attempt,
                "node": self.node,
                "worker": self.worker,
                "began": row["began"] or now,
                "question": None,
                "answer": None,
            }
            connection.execute(sa.update(PARTS).where(free).values(values))
            told = sa.select(TOLD.c.content).where(TOLD.c.part == part).order_by(TOLD.c.number)
            lines = [line for content in connection.scalars(told) for line in unpacked(content)]
        return TakenPart(
            id=part,
            order=row["order_id"],
            hosts=msgspec.json.decode(row["body"], type=tuple[Host, ...]),
            placed=msgspec.json.decode(body, type=Placed),
            attempt=attempt,
            number=row["told"],
            node=row["node"] if row["attempt"] else "",
            told=tuple(lines),
        )

    def tell(self, telling: PartTelling, now: float) -> None:
        """Tells of one part; Superseded where another worker has it by now: then nothing is told."""
        if not self.meanwhile([telling], now)[telling.part].mine:
            raise Superseded

    def meanwhile(self, tellings: Sequence[PartTelling], now: float) -> Mapping[str, Wished]:
        """Tells of parts, and what is wished of each; of one that another worker has by now nothing is told."""
        attempts = {telling.part: telling.attempt for telling in tellings}
        known, order = PARTS.c, ORDERS.c
        select = (
            sa.select(*(known[name] for name in _WISHED), order.attended, order.beat)
            .join(ORDERS, order.id == known.order_id)
            .where(known.id.in_(sorted(attempts)))
            .order_by(known.id)
            .with_for_update(of=PARTS)
        )
        with explained(self.store.name), writing(self.store.engine) as connection:
            rows = {row["id"]: row for row in connection.execute(select).mappings()}
            ours = {
                part
                for part, attempt in attempts.items()
                if part in rows and (rows[part]["attempt"], rows[part]["state"]) == (attempt, "running")
            }
            _tell(connection, [one for one in tellings if one.part in ours and rows[one.part]["told"] == one.number])
        return {part: _wished(rows[part], now) if part in ours else Wished() for part in attempts}

    def ask(self, part: str, attempt: int, question: str) -> None:
        """Puts a question to whoever ordered it; empty takes the last one back. Superseded as `tell`."""
        values = {"question": question or None, "answer": None}
        with explained(self.store.name), writing(self.store.engine) as connection:
            if not connection.execute(sa.update(PARTS).where(_is(part, attempt)).values(values)).rowcount:
                raise Superseded

    def end(self, telling: PartTelling, outcome: str, result: bytes, now: float) -> None:
        """Brings a part to its end, and tells the rest of it. Superseded as `tell`; once more is no fault."""
        values = {"state": "ended", "outcome": outcome, "result": result, "ended": now, "question": None}
        mine = _is(telling.part, telling.attempt)
        ended = sa.and_(PARTS.c.id == telling.part, PARTS.c.attempt == telling.attempt, PARTS.c.state == "ended")
        with explained(self.store.name), writing(self.store.engine) as connection:
            told = connection.scalar(sa.select(PARTS.c.told).where(mine).with_for_update())
            if told is not None:
                connection.execute(sa.update(PARTS).where(mine).values(values))
                _tell(connection, [telling] if told == telling.number else [])
            elif connection.scalar(sa.select(PARTS.c.id).where(ended)) is None:
                raise Superseded

    def beat(self, sites: Iterable[str], forks: int, now: float, *, stopped: bool = False) -> None:
        """This worker is there still, or says goodbye."""
        values = {
            "node": self.node,
            "sites": "\n".join(sites),
            "forks": forks,
            "beat": now,
            "stopped": stopped,
        }
        with explained(self.store.name), writing(self.store.engine) as connection:
            update = sa.update(WORKERS).where(WORKERS.c.id == self.worker).values(values)
            if not connection.execute(update).rowcount:
                connection.execute(sa.insert(WORKERS), {"id": self.worker, **values})

    def ended_elsewhere(self, ids: Sequence[str]) -> list[EndedElsewhere]:
        """Of these parts those that came to their end on another node."""
        known = PARTS.c
        over = sa.and_(known.id.in_(sorted(ids)), known.state == "ended", known.node != self.node)
        with explained(self.store.name), reading(self.store.engine) as connection:
            rows = connection.execute(sa.select(known.id, known.node, known.outcome).where(over))
            return [EndedElsewhere(*row) for row in rows]


def _is(part: str, attempt: int) -> sa.ColumnElement[bool]:
    return sa.and_(PARTS.c.id == part, PARTS.c.attempt == attempt, PARTS.c.state == "running")


_WISHED = ("id", "attempt", "state", "stop", "answer", "told")


def _tell(connection: sa.Connection, tellings: Sequence[PartTelling]) -> None:
    rows = [
        {"part": one.part, "number": one.number + 1, "attempt": one.attempt, "content": packed(one.lines)}
        for one in tellings
        if one.lines
    ]
    if not rows:
        return
    connection.execute(sa.insert(TOLD), rows)
    counted = sa.update(PARTS).where(PARTS.c.id == sa.bindparam("one")).values(told=sa.bindparam("count"))
    connection.execute(counted, [{"one": row["part"], "count": row["number"]} for row in rows])


def _wished(row: sa.RowMapping, now: float) -> Wished:
    attended = bool(row["attended"]) and row["beat"] > now - HEARD_WITHIN
    gone = not row["attended"]
    return Wished(mine=True, stop=bool(row["stop"]), answer=row["answer"] or "", attended=attended, gone=gone)
