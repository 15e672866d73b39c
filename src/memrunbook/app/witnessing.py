"""Tells a store that is a server where the ledger of this state directory stands, so that it is a second witness."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
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
from memrunbook.state.ledger_tail import ledger_tail
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

    Used by several threads: what is written while it is told of something is told all together then, and nothing that
    is not on the disk.
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
    _end: Link = field(default_factory=Link, init=False)
    _read: dict[int, str] = field(default_factory=dict, init=False)
    _handed: deque[SealedEntry] = field(default_factory=deque, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def told(self, entries: Sequence[SealedEntry], *, begins: bool) -> None:
        """Tells it of these entries, and of what it could not be told before; JournalError where something `begins`."""
        self._handed.extend(entries)
        with self._turn:
            if begins:
                self.outage.answer(self._begun, self.clock)
                return
            self._ask()
            if self._failure is not None and not self._remarked:
                self._remarked = True
                self.notice.remark(f"where the ledger stands is not told: {self._failure}", LATER)

    def _ask(self) -> None:
        """Tells all that was handed over; what whoever had the turn before has read and told is told no more."""
        handed = [self._handed.popleft() for _ in range(len(self._handed))]
        new = sorted((one for one in handed if self._read.get(one.seq) != one.hash), key=attrgetter("seq"))
        if (new or self._behind) and self._is_worth_it(new):
            self._try(new)

    def _begun(self) -> None:
        self._ask()
        if self._failure is not None:
            raise self._failure

    def _is_worth_it(self, entries: Sequence[SealedEntry]) -> bool:
        """At the end of a run always; else not right after it was in vain."""
        late = SystemClock().now().monotonic - self._failed_at >= AGAIN
        return self._failure is None or late or any(one.event == "end" for one in entries)

    def _try(self, new: Sequence[SealedEntry]) -> None:
        behind, self._behind = self._behind, True  # until it is known to be told
        try:
            if behind or not self._tell(self._without_gap(new)):
                self._catch_up(new[-1].seq if new else 0)
        except RunbookError as error:
            self._failure, self._failed_at = error, SystemClock().now().monotonic
        else:
            self._failure, self._behind = None, False

    def _without_gap(self, new: Sequence[SealedEntry]) -> Sequence[SealedEntry]:
        """These entries; with those before and between them that others have written, and hand over next."""
        if new[0].prev == self._end.head and new[-1].seq - new[0].seq == len(new) - 1:
            return new
        if not self._end.count:
            return ()
        there = ledger_tail(self.state, self._end.count)
        if not there or Link(there[0].hash, there[0].seq) != self._end:
            return ()
        self._read = {one.seq: one.hash for one in there}
        return there[1:]

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
        self._end = end
        return True

    def _catch_up(self, wanted: int) -> None:
        """Tells it all entries since the last that it knows; JournalError where that one is not here (any more).

        It has to know them up to the `wanted` number, 0: up to the last one. What others write meanwhile they tell.
        """
        from memrunbook.state.store.journals import known

        key = ledger.first_key(self.state)
        if not key:
            return  # there is nothing to tell yet
        for _ in range(TRIES):
            sight = known(self.store, key)  # before the ledger is read: others may be writing
            at = sight.link if sight else Link()
            entries = ledger_tail(self.state, at.count)
            if (lost := lost_since(entries, at, self.store.name)) is not None:
                raise JournalError(lost, where=str(ledger.ledger_file(self.state)), hint=MENDED)
            self._end, self._read = at, {one.seq: one.hash for one in entries}
            wanted = wanted or (entries[-1].seq if entries else 0)
            if wanted <= at.count or self._tell([one for one in entries if one.seq > at.count]):
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
