"""Orders as the node sees them that placed them: how far each part is, what is told of it, who must be answered."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from memrunbook.core.errors import JournalError
from memrunbook.core.run.placed import PartState, Placed, PlacedPart, PlacedRun
from memrunbook.core.units import DAY
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading, writing
from memrunbook.state.store.node_tables import ORDERS, PARTS, TOLD, WORKERS

HEARD_WITHIN = 30.0
"""Seconds without a word, after which a worker, or whoever waits for an order, counts as gone."""
KEPT = 30 * DAY
"""Seconds that what was told of a run is kept behind the last word of whoever waited for it."""
LARGEST = 256 << 20
"""Bytes of records that are told at a time."""
AHEAD = 60.0
"""Seconds that the clock of another node may be ahead."""


class PartSeen(Struct, frozen=True, kw_only=True):
    """How far a part is; `told` counts what is told of it, `question` waits for an answer (JSON; empty: none)."""

    id: str
    host: str
    state: PartState
    attempt: int
    node: str
    outcome: str
    told: int
    question: str
    result: bytes


class WorkerSeen(Struct, frozen=True, kw_only=True):
    """A worker: its node, the sites whose jobs it takes, how many hosts at once, and when it was last heard of."""

    id: str
    node: str
    sites: tuple[str, ...]
    forks: int
    beat: float
    stopped: bool

    def there(self, now: float) -> bool:
        """True where it was heard of lately, and has not said goodbye."""
        return not self.stopped and now - HEARD_WITHIN < self.beat <= now + AHEAD


@dataclass(frozen=True)
class Orders:
    """The orders of a store, for whoever places them; JournalError where it does not answer."""

    store: Store

    def place(self, order: str, placed: Placed, parts: Sequence[PlacedPart], now: float) -> None:
        """Puts an order there with all its parts; one that is there already, as of a run that goes on, stays as it is.

        What was taken back of it waits again. It counts as attended: whoever placed it answers at its gates.
        """
        actor = placed.invoked.actor if isinstance(placed, PlacedRun) else placed.actor
        row = {
            "id": order,
            "kind": "run" if isinstance(placed, PlacedRun) else "look",
            "node": actor.control_node,
            "actor": f"{actor.user}@{actor.control_node}",
            "body": _text(placed),
            "at": now,
            "beat": now,
            "attended": True,
        }
        rows = [
            {
                "id": part.id,
                "order_id": order,
                "place": part.place,
                "host": part.hosts[0].name if len(part.hosts) == 1 else "",
                "site": part.site,
                "body": _text(part.hosts),
                "state": "waiting",
                "queued": now,
            }
            for part in parts
        ]
        with explained(self.store.name), writing(self.store.engine) as connection:
            if connection.scalar(sa.select(ORDERS.c.id).where(ORDERS.c.id == order)) is None:
                connection.execute(sa.insert(ORDERS), row)
            else:
                goes_on = sa.update(ORDERS).where(ORDERS.c.id == order)
                connection.execute(goes_on.values(beat=now, attended=True, ended=None))
            withdrawn = sa.and_(PARTS.c.order_id == order, PARTS.c.state == "withdrawn")
            connection.execute(sa.update(PARTS).where(withdrawn).values(state="waiting", stop=False))
            known = set(connection.scalars(sa.select(PARTS.c.id).where(PARTS.c.order_id == order)))
            if new := [row for row in rows if row["id"] not in known]:
                connection.execute(sa.insert(PARTS), new)

    def again(self, parts: Iterable[str]) -> frozenset[str]:
        """Lets parts that have ended be gone on with: they wait again, as a new attempt each; those are returned.

        What was asked of the last attempt, and that it should stop, is no matter of the next. A part that is in any
        other state stays as it is.
        """
        over = sa.and_(PARTS.c.id.in_(sorted(parts)), PARTS.c.state == "ended")
        values = {"state": "waiting", "outcome": "", "result": None, "ended": None, "stop": False}
        waits = sa.update(PARTS).where(over).values(**values, question=None, answer=None).returning(PARTS.c.id)
        with explained(self.store.name), writing(self.store.engine) as connection:
            return frozenset(connection.scalars(waits))

    def beat(self, order: str, now: float, *, attended: bool = True) -> None:
        """Whoever waits for an order is there still; once it is not `attended`, its gates are answered by nobody."""
        values: dict[str, Any] = {"beat": now, "attended": attended}
        with explained(self.store.name), writing(self.store.engine) as connection:
            connection.execute(sa.update(ORDERS).where(ORDERS.c.id == order).values(values))

    def end(self, order: str, now: float) -> None:
        """Nobody waits for an order any more: it has come to its end, and what nobody has begun of it is taken back."""
        waiting = sa.and_(PARTS.c.order_id == order, PARTS.c.state == "waiting")
        with explained(self.store.name), writing(self.store.engine) as connection:
            connection.execute(sa.update(PARTS).where(waiting).values(state="withdrawn", stop=True))
            connection.execute(sa.update(ORDERS).where(ORDERS.c.id == order).values(ended=now, attended=False))

    def forget(self, order: str) -> None:
        """Lets go of an order and of all that was told of it."""
        parts = sa.select(PARTS.c.id).where(PARTS.c.order_id == order)
        with explained(self.store.name), writing(self.store.engine) as connection:
            connection.execute(sa.delete(TOLD).where(TOLD.c.part.in_(parts)))
            connection.execute(sa.delete(PARTS).where(PARTS.c.order_id == order))
            connection.execute(sa.delete(ORDERS).where(ORDERS.c.id == order))

    def look(self, order: str) -> list[PartSeen]:
        """How far each part of an order is."""
        known = PARTS.c
        names = [name for name in PartSeen.__struct_fields__ if name not in ("question", "result")]
        asked = sa.and_(known.question.is_not(None), known.answer.is_(None))
        select = sa.select(
            *(known[name] for name in names),
            sa.case((asked, known.question), else_="").label("question"),
            known.result,
        ).where(known.order_id == order)
        with explained(self.store.name), reading(self.store.engine) as connection:
            rows = connection.execute(select).mappings()
            return [PartSeen(**{**row, "result": bytes(row["result"] or b"")}) for row in rows]

    def told(self, since: Mapping[str, int], until: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """What is told of parts behind the number that is known of each, up to another (None: all): lines of JSON.

        More may have been told meanwhile: that is asked for next time.
        """
        if not since:
            return {}
        known = TOLD.c
        newer = sa.and_(known.part.in_(sorted(since)), known.number > min(since.values()))
        select = sa.select(known.part, known.number, known.content).where(newer).order_by(known.part, known.number)
        found: dict[str, list[bytes]] = {}
        with explained(self.store.name), reading(self.store.engine) as connection:
            for part, number, content in connection.execute(select):
                if since[part] < number <= (until[part] if until is not None else number):
                    found.setdefault(part, []).extend(unpacked(content))
        return found

    def answer(self, part: str, attempt: int, answer: str) -> None:
        """Answers the question of a part; not that of a later attempt."""
        mine = sa.and_(PARTS.c.id == part, PARTS.c.attempt == attempt, PARTS.c.question.is_not(None))
        with explained(self.store.name), writing(self.store.engine) as connection:
            connection.execute(sa.update(PARTS).where(mine).values(answer=answer))

    def stop(self, parts: Iterable[str]) -> frozenset[str]:
        """Asks for an early end of parts; those that nobody had begun, and that nobody will begin, are returned."""
        wanted = sorted(parts)
        unbegun = sa.and_(PARTS.c.id.in_(wanted), PARTS.c.state == "waiting")
        under_way = sa.and_(PARTS.c.id.in_(wanted), PARTS.c.state == "running")
        with explained(self.store.name), writing(self.store.engine) as connection:
            gone = sa.update(PARTS).where(unbegun).values(state="withdrawn", stop=True).returning(PARTS.c.id)
            withdrawn = frozenset(connection.scalars(gone))
            connection.execute(sa.update(PARTS).where(under_way).values(stop=True))
        return withdrawn

    def busy(self, order: str) -> dict[str, str]:
        """By part of an order that nobody has begun, which other run a worker is at on the same host."""
        mine, other = PARTS.c, PARTS.alias("other").c
        select = (
            sa.select(mine.id, other.order_id, ORDERS.c.actor, other.node)
            .where(mine.order_id == order, mine.state == "waiting")
            .where(other.host == mine.host, other.state == "running", other.order_id != order)
            .where(ORDERS.c.id == other.order_id)
        )
        with explained(self.store.name), reading(self.store.engine) as connection:
            found = connection.execute(select)
            return {part: f"run {run} of {who}, which {node} is at there" for part, run, who, node in found}

    def workers(self) -> list[WorkerSeen]:
        """Every worker that was ever there, by its name."""
        with explained(self.store.name), reading(self.store.engine) as connection:
            rows = connection.execute(sa.select(WORKERS).order_by(WORKERS.c.id)).mappings()
            return [WorkerSeen(**{**row, "sites": tuple(row["sites"].splitlines())}) for row in rows]


def forget_old(store: Store, now: float) -> None:
    """Lets go of looks that nobody waits for since a day, of runs since a month, and of workers gone so long."""
    old = sa.or_(ORDERS.c.beat < now - KEPT, sa.and_(ORDERS.c.kind == "look", ORDERS.c.beat < now - DAY))
    with explained(store.name), reading(store.engine) as connection:
        found = list(connection.scalars(sa.select(ORDERS.c.id).where(old)))
    for order in found:
        Orders(store).forget(order)
    with explained(store.name), writing(store.engine) as connection:
        connection.execute(sa.delete(WORKERS).where(WORKERS.c.beat < now - KEPT))


def packed(lines: Sequence[bytes]) -> bytes:
    """Records as the store keeps them."""
    return zlib.compress(b"\n".join(lines), 1)


def unpacked(content: bytes) -> list[bytes]:
    """The records of what `packed` made; JournalError for anything else."""
    try:
        return zlib.decompressobj().decompress(content, LARGEST).split(b"\n")
    except zlib.error:
        raise JournalError("what the store holds of a run cannot be read") from None


def _text(value: Struct | tuple[Struct, ...]) -> str:
    return msgspec.json.encode(value).decode()
