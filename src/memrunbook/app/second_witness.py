"""What a store that is a server saw of a ledger, held against the ledger that is here now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.actor import this_actor
from memrunbook.app.stored import Stored
from memrunbook.app.witnessing import lost_since
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.core.instant import Instant
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library
from memrunbook.runtime.outside import STORES, is_file, is_server, shown
from memrunbook.state import keys, ledger
from memrunbook.state.audit import AuditFinding

if TYPE_CHECKING:
    from memrunbook.state.ledger import SealedEntry
    from memrunbook.state.store.journals import IndexedRun, LedgerSight, OtherLedger

TOLD = 20
"""How many runs are named that the store knows and that are gone here."""
KEY = 12
"""Digits of a key that are shown."""


@dataclass(frozen=True, kw_only=True)
class StoreAnswer:
    """What the store `name` answered: where it saw this ledger, None where it knows nothing of it, and its `runs`.

    `elsewhere` are runs of this ledger that it knows from another one of this control node, `others` how many of those
    it knows. `problem`: why it was not asked.
    """

    name: str
    sight: LedgerSight | None = None
    runs: tuple[IndexedRun, ...] = ()
    elsewhere: tuple[OtherLedger, ...] = ()
    others: int = 0
    problem: str = ""

    @property
    def entry(self) -> int | None:
        """The newest entry of this ledger that it saw."""
        return self.sight.link.count if self.sight else None

    def findings(self, state: Path, entries: Sequence[SealedEntry]) -> Iterator[AuditFinding]:
        """What of it is not so in the ledger here: entries that are gone, another entry, runs that are gone."""
        path = ledger.ledger_file(state)
        if self.problem:
            yield AuditFinding("note", self.name, f"the store was not asked what it saw of this ledger: {self.problem}")
        elif self.sight is None:
            yield AuditFinding("note", self.name, "the store knows nothing of this ledger; the next run tells it all")
        elif (lost := lost_since(entries, self.sight.link, self.name)) is not None:
            there = any(one.seq == self.sight.link.count for one in entries)
            yield AuditFinding("error", f"{path}:{self.sight.link.count}" if there else str(path), lost)
        here = {one.run for one in entries}
        gone = [one for one in self.runs if one.run not in here]
        for run in gone[:TOLD]:
            known = f"the store at {self.name} knows this run ({_told(run)}): it is not in the ledger here"
            yield AuditFinding("error", str(state / "runs" / run.run), known)
        for other in self.elsewhere[:TOLD]:
            anew = (
                f"knows this run from another ledger of this control node ({other.key[:KEY]}): this one was made anew"
            )
            yield AuditFinding("error", str(state / "runs" / other.run), f"the store at {self.name} {anew}")


def asked_store(state: Path, library: Library | None, store: str) -> StoreAnswer | None:
    """What the store knows of the ledger of a state directory; None for a file, which is no second witness.

    Ask before the ledger is read: others may be writing meanwhile. A store that does not answer is a `problem`.
    UsageError for what is no store.
    """
    stored = Stored(state, named=store)
    if stored.place and not is_server(stored.place) and not is_file(stored.place):
        raise UsageError(f"{shown(stored.place)!r} is no store", where="--store" if store else "", hint=STORES)
    try:
        stored = Stored(state, library.config() if library else Config(), store)
    except RunbookError as error:
        if not stored.place:
            return StoreAnswer(name="the store of config.yaml", problem=str(error))
    if not is_server(stored.place):
        return None
    try:
        return _answer(stored)
    except RunbookError as error:
        return StoreAnswer(name=stored.name, problem=error.message)


def _answer(stored: Stored) -> StoreAnswer:
    from memrunbook.state.store.journals import known, ledgers_of, of_other_ledgers, runs_of

    node = this_actor().control_node
    with closing(stored.look()) as store:
        own = _keys(stored.state)
        seen = [(sight, key) for key in own if (sight := known(store, key)) is not None]
        sight, key = max(seen, key=lambda one: one[0].link.count, default=(None, ""))
        runs = list(dict.fromkeys(entry.run for entry in ledger.read(stored.state)))
        return StoreAnswer(
            name=stored.name,
            sight=sight,
            runs=runs_of(store, key) if key else (),
            elsewhere=of_other_ledgers(store, own, node, runs),
            others=len(ledgers_of(store, node).keys() - set(own)),
        )


def _keys(state: Path) -> list[str]:
    """The keys that this ledger may be known by: the one that began it, and where it is gone those that would have."""
    first = ledger.first_key(state)
    try:
        return list(dict.fromkeys([*([first] if first else []), *keys.known(state).owners]))
    except RunbookError:
        return [first] if first else []


def _told(run: IndexedRun) -> str:
    return f"{run.runbook}, by {run.who}, {Instant(run.began, 0.0).isoformat()[:16].replace('T', ' ')} UTC"
