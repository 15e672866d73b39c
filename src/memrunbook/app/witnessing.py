"""Tells a store that is a server where the ledger of this state directory stands, so that it is a second witness."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.actor import this_actor
from memrunbook.app.notice import Notice
from memrunbook.app.outage import Outage
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Clock
from memrunbook.state import ledger
from memrunbook.state.chain import Link
from memrunbook.state.ledger import SealedEntry
from memrunbook.state.proven_ledger import ProvenLedger
from memrunbook.state.run_directory import RUN, RUN_ID, RunDirectory, new_run_id
from memrunbook.state.runs import begun_and_ended
from memrunbook.state.witnessed import UNWITNESSED, LedgerWitness

if TYPE_CHECKING:
    from memrunbook.app.stored import Stored
    from memrunbook.state.store.changes import Store
    from memrunbook.state.store.journals import IndexedRun

AGAIN = 2.0
"""Seconds in which a store that did not answer is not asked again: the hosts of a run would wait for it in turn."""
TRIES = 5
"""How often it is looked what is new, where other processes tell of the same ledger meanwhile."""
LATER = "nothing is lost by that: the next run tells it"
MENDED = "look at it with runbook audit verify --store; restore it, or move the state directory aside"


def witness_of(stored: Stored, store: Store, notice: Notice, clock: Clock, node: str = "") -> LedgerWitness:
    """Whoever is told of this ledger: a store that is a server; a file beside the journals would be no second witness.

    It is told now what it does not know yet. JournalError where that cannot be, or it knows more than is here. Where
    something begins, one that is away is waited for, until the clock says that a person asked to stop. `node` is
    another name than this machine's.
    """
    if store.engine.dialect.name == "sqlite":
        return UNWITNESSED
    outage = Outage(stored.patience, notice.remark)
    witness = StoreWitness(store, stored.state, node or this_actor().control_node, notice, outage, clock)
    witness.told((), begins=True)
    return witness


def new_run(stored: Stored, store: Store, notice: Notice, clock: Clock) -> RunDirectory:
    """The directory of a new run, told to the witness; JournalError where it cannot be made, or be told."""
    witness = witness_of(stored, store, notice, clock)
    return RunDirectory.create(stored.state, new_run_id(clock.now()), clock.now, witness)


def same_run(stored: Stored, store: Store, run_id: str, notice: Notice, clock: Clock) -> RunDirectory:
    """The same of a run that is gone on with; errors as of `RunDirectory.reopen` besides."""
    return RunDirectory.reopen(stored.state, run_id, clock.now, witness_of(stored, store, notice, clock))


@dataclass
class StoreWitness:
    """The store as the witness of one ledger; `node` writes it. What it is not told at once it is told later.

    Used by several threads: what is written while it is told of something is told all together then.
    """

    store: Store
    state: Path
    node: str
    notice: Notice
    outage: Outage = field(default_factory=Outage)
    clock: Clock = field(default_factory=SystemClock)
    _key: str = field(default="", init=False)
    _behind: bool = field(default=True, init=False)
    _failure: RunbookError | None = field(default=None, init=False)
    _failed_at: float = field(default=0.0, init=False)
    _remarked: bool = field(default=False, init=False)
    _known: int = field(default=0, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._ledger = ProvenLedger(self.state)

    def told(self, entries: Sequence[SealedEntry], *, begins: bool) -> None:
        """Tells it of these entries, and of what it could not be told before; JournalError where something `begins`."""
        with self._turn:
            if begins:
                self.outage.answer(partial(self._begun, entries), self.clock)
                return
            self._ask(entries)
            if self._failure is not None and not self._remarked:
                self._remarked = True
                self.notice.remark(f"where the ledger stands is not told: {self._failure}", LATER)

    def _ask(self, entries: Sequence[SealedEntry]) -> None:
        new = [one for one in entries if one.seq > self._known]  # else whoever had the turn before has told it
        if (new or self._behind) and self._is_worth_it(new):
            self._try()

    def _begun(self, entries: Sequence[SealedEntry]) -> None:
        self._ask(entries)
        if self._failure is not None:
            raise self._failure

    def _is_worth_it(self, entries: Sequence[SealedEntry]) -> bool:
        """At the end of a run always; else not right after it was in vain."""
        late = SystemClock().now().monotonic - self._failed_at >= AGAIN
        return self._failure is None or late or any(one.event == "end" for one in entries)

    def _try(self) -> None:
        behind, self._behind = self._behind, True  # until it is known to be told
        try:
            if behind or not self._tell(self._ledger.entries()[self._known :]):
                self._catch_up()
        except RunbookError as error:
            self._failure, self._failed_at = error, SystemClock().now().monotonic
        else:
            self._failure, self._behind = None, False

    def _tell(self, entries: Sequence[SealedEntry]) -> bool:
        """True where the store knows the ledger up to these entries now."""
        from memrunbook.state.store.journals import LedgerGrowth, saw

        if not entries:
            return False
        self._key = self._key or ledger.first_key(self.state)
        now = SystemClock().now().utc
        growth = LedgerGrowth(self._key, self.node, now, entries, indexed(self.state, entries))
        end = Link(entries[-1].hash, entries[-1].seq)
        if saw(self.store, growth) != end:
            return False
        self._known = end.count
        return True

    def _catch_up(self) -> None:
        """Tells it all entries since the last that it knows; JournalError where that one is not here (any more)."""
        from memrunbook.state.store.journals import known

        key = ledger.first_key(self.state)
        if not key:
            return  # there is nothing to tell yet
        for _ in range(TRIES):
            sight = known(self.store, key)  # before the ledger is read: others may be writing
            at, entries = sight.link if sight else Link(), self._ledger.entries()
            if (lost := lost_since(entries, at, self.store.name)) is not None:
                raise JournalError(lost, where=str(ledger.ledger_file(self.state)), hint=MENDED)
            self._known = at.count
            if len(entries) == at.count or self._tell(entries[at.count :]):
                return
        raise JournalError("others tell of the same ledger all the time", where=self.store.name, hint="try again")


def lost_since(entries: Sequence[SealedEntry], at: Link, store: str) -> str | None:
    """In words, that a ledger does not hold the entry that the store saw last; None where it does."""
    count = entries[-1].seq if entries else 0
    if at.count > count:
        lost = at.count - count
        return f"{lost} of the {at.count} entries that the store at {store} saw are missing at its end: it was cut"
    if any(one.hash != at.head for one in entries if one.seq == at.count):
        return f"this is not the entry that the store at {store} saw: the ledger was sealed again"
    return None


def indexed(state: Path, entries: Iterable[SealedEntry]) -> list[IndexedRun]:
    """The runs that these entries tell of, each as it was at the last of them."""
    from memrunbook.state.store.journals import IndexedRun

    found = []
    own = (one for one in entries if one.file == RUN and one.count and RUN_ID.fullmatch(one.run))
    for run, entry in {one.run: one for one in own}.items():
        invoked, end = begun_and_ended(state / "runs" / run)
        if invoked is None:
            continue
        over = end if entry.event == "end" else None
        found.append(
            IndexedRun(
                run=run,
                node=invoked.actor.control_node,
                runbook=invoked.runbook,
                who=invoked.actor.user,
                reason=invoked.reason,
                hosts=invoked.hosts,
                part_of=invoked.part_of,
                began=_utc(invoked.time),
                ended=_utc(over.time) if over else None,
                outcomes=tuple((host.host, host.outcome) for host in over.hosts) if over else (),
            )
        )
    return found


def _utc(time: str) -> float:
    """Seconds since 1970; 0 for what is no time: a journal that was spoilt keeps no other from being told."""
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0
