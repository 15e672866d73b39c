"""Where the ledgers and journals of all control nodes stood when they were last written, and an index of their runs.

The journals are files of the node that wrote them: what stands here is a second witness of where they end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from memrunbook.core.text import encodable
from memrunbook.state.chain import Link
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading, writing
from memrunbook.state.store.node_tables import JOURNALS, LEDGERS, RUN_INDEX

MOST = 1000
"""How many runs are listed."""
LONGEST = 255
"""Characters of a runbook's name."""
AT_ONCE = 500
"""How many runs are asked for in one question."""


class IndexedRun(Struct, frozen=True, kw_only=True):
    """A run as others see it: on which control node, who asked for what and why, and how it ended on each host.

    Times are in seconds since 1970. `part_of` is the run that had it done, where another node did. `outcomes` are hosts
    with their words, none before it has ended; `key` is that of its ledger.
    """

    run: str
    node: str
    runbook: str
    who: str
    reason: str
    hosts: tuple[str, ...]
    began: float
    ended: float | None = None
    outcomes: tuple[tuple[str, str], ...] = ()
    part_of: str = ""
    key: str = ""


class LedgerSight(NamedTuple):
    """Where the store saw a ledger: by which node it was written then, and when (seconds since 1970)."""

    link: Link
    node: str
    at: float


class LedgerGrowth(NamedTuple):
    """What a ledger has grown by: entries that follow on one another, and the `runs` that they tell of.

    `key` is the public key of the ledger's first entry, `node` the control node that wrote, `at` in seconds since 1970.
    """

    key: str
    node: str
    at: float
    entries: Sequence[SealedEntry]
    runs: Iterable[IndexedRun] = ()


class OtherLedger(NamedTuple):
    """A run that the store knows from another ledger."""

    run: str
    key: str


def saw(store: Store, growth: LedgerGrowth) -> Link:
    """A ledger has grown; returns the place where the store knows it then.

    All in one, or nothing: where the entries do not follow on the very entry that is known, nothing is written. So the
    place never goes back, and never to another chain: one that is known further on, or elsewhere, is returned as it is.
    ValueError for entries that do not follow on one another.
    """
    (before, after), key = _ends(growth.entries), growth.key
    place = {"node": growth.node, "head": after.head, "count": after.count, "at": growth.at}
    with explained(store.name), writing(store.engine) as connection:
        if _moved(connection, key, before, place):
            latest = {(one.run, one.file): one for one in growth.entries}
            _put(connection, JOURNALS, [_journal(key, one, growth.at) for one in latest.values()])
            _put(connection, RUN_INDEX, [_row(key, one) for one in growth.runs])
            return after
        found = _sight(connection, key)
        return found.link if found else Link()


def known(store: Store, key: str) -> LedgerSight | None:
    """Where the store saw this ledger; None where it knows nothing of it."""
    with explained(store.name), reading(store.engine) as connection:
        return _sight(connection, key)


def runs_of(store: Store, key: str) -> tuple[IndexedRun, ...]:
    """The runs of one ledger, the newest first, and no more than `MOST`."""
    return _runs(store, RUN_INDEX.c.key == key)


def runs_elsewhere(store: Store, key: str = "", begins: str = "", most: int = MOST) -> tuple[IndexedRun, ...]:
    """The runs of all ledgers but this one, the newest first; only those whose id `begins` so."""
    return _runs(store, RUN_INDEX.c.key != key, RUN_INDEX.c.run.startswith(begins, autoescape=True), most=most)


def of_other_ledgers(store: Store, keys: Iterable[str], node: str, runs: Sequence[str]) -> tuple[OtherLedger, ...]:
    """Those of these runs that the store knows from a ledger of this node with none of these keys, in their order.

    A run's id is of one run: whoever made the ledger anew, with a new key, has not made the store forget the old one.
    """
    found: dict[str, str] = {}
    own = list(keys)
    with explained(store.name), reading(store.engine) as connection:
        for first in range(0, len(runs), AT_ONCE):
            asked = sa.select(JOURNALS.c.run, JOURNALS.c.key).distinct().join(LEDGERS, LEDGERS.c.key == JOURNALS.c.key)
            asked = asked.where(JOURNALS.c.run.in_(runs[first : first + AT_ONCE]), JOURNALS.c.key.not_in(own))
            found |= {row.run: row.key for row in connection.execute(asked.where(LEDGERS.c.node == node))}
    return tuple(OtherLedger(run, found[run]) for run in runs if run in found)


def ledgers_of(store: Store, node: str) -> dict[str, LedgerSight]:
    """The ledgers that a node wrote last, by their keys, the newest first."""
    asked = sa.select(LEDGERS).where(LEDGERS.c.node == node).order_by(LEDGERS.c.at.desc())
    with explained(store.name), reading(store.engine) as connection:
        return {row["key"]: _seen(row) for row in connection.execute(asked).mappings()}


def _ends(entries: Sequence[SealedEntry]) -> tuple[Link, Link]:
    """The places before and after entries that follow on one another."""
    for one, then in itertools.pairwise(entries):
        if (then.prev, then.seq) != (one.hash, one.seq + 1):
            raise ValueError(f"entry {then.seq} of the ledger does not follow on entry {one.seq}")
    return Link(entries[0].prev, entries[0].seq - 1), Link(entries[-1].hash, entries[-1].seq)


def _moved(connection: sa.Connection, key: str, before: Link, values: Mapping[str, Any]) -> bool:
    """True where the ledger was known at exactly this place, and is at the new one now."""
    if not before.count:
        return _put(connection, LEDGERS, [{"key": key, **values}], replace=False) == 1
    there = (LEDGERS.c.key == key, LEDGERS.c["count"] == before.count, LEDGERS.c.head == before.head)
    return connection.execute(sa.update(LEDGERS).where(*there).values(**values)).rowcount == 1


def _put(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, replace: bool = True) -> int:
    """Writes rows, in place of those of the same key, or only where there is none: how many, of one that was written.

    PostgreSQL counts no rows of several at once.
    """
    if not rows:
        return 0
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made: Any = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    if replace:
        new = {column.name: made.excluded[column.name] for column in table.columns if column.name not in keys}
        return connection.execute(made.on_conflict_do_update(index_elements=keys, set_=new), list(rows)).rowcount
    [row] = rows
    written = connection.execute(made.values(**row).on_conflict_do_nothing().returning(*table.primary_key.columns))
    return len(written.all())


def _journal(key: str, one: SealedEntry, at: float) -> dict[str, Any]:
    place = {"key": key, "run": one.run, "file": one.file}
    return {**place, "event": one.event, "head": one.head, "count": one.count, "at": at}


def _row(key: str, one: IndexedRun) -> dict[str, Any]:
    said: dict[str, Any] = encodable({
        "run": one.run,
        "node": one.node[:LONGEST],
        "runbook": one.runbook[:LONGEST],
        "who": one.who,
        "reason": one.reason,
        "hosts": "\n".join(one.hosts),
        "part_of": one.part_of,
        "outcomes": "\n".join(f"{host} {word}" for host, word in one.outcomes),
    })  # fmt: skip
    told = {name: text.replace("\0", "") for name, text in said.items()}  # PostgreSQL's texts have no such character
    return {**told, "key": key, "began": one.began, "ended": one.ended}


def _runs(store: Store, *which: sa.ColumnElement[bool], most: int = MOST) -> tuple[IndexedRun, ...]:
    asked = sa.select(RUN_INDEX).where(*which).order_by(RUN_INDEX.c.began.desc(), RUN_INDEX.c.run.desc()).limit(most)
    with explained(store.name), reading(store.engine) as connection:
        return tuple(_read(row) for row in connection.execute(asked).mappings())


def _read(row: sa.RowMapping) -> IndexedRun:
    ended = (line.rpartition(" ") for line in row["outcomes"].splitlines())
    said: dict[str, Any] = {
        **row,
        "hosts": tuple(row["hosts"].split("\n")) if row["hosts"] else (),
        "outcomes": tuple((host, word) for host, _, word in ended),
    }
    return IndexedRun(**said)


def _sight(connection: sa.Connection, key: str) -> LedgerSight | None:
    row = connection.execute(sa.select(LEDGERS).where(LEDGERS.c.key == key)).mappings().first()
    return None if row is None else _seen(row)


def _seen(row: sa.RowMapping) -> LedgerSight:
    return LedgerSight(Link(row["head"], row["count"]), row["node"], row["at"])
