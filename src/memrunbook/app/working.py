"""Works for other control nodes: takes parts of runs at its sites, and brings each to its end."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from memrunbook.app.joining import join
from memrunbook.app.learning import learn_all
from memrunbook.app.part_looking import look_at
from memrunbook.app.part_running import WorkerPlace, bring_to_its_end, given_up
from memrunbook.app.part_telling import HANDED_ON, PartStop, PartTold, Reporter
from memrunbook.core.errors import JournalError
from memrunbook.core.run.placed import LOOKS, PlacedLook
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.jobs import GiveBack, Jobs
from memrunbook.state.store.orders import forget_old
from memrunbook.state.store.parts import EndedElsewhere, Superseded, TakenPart, WorkerParts

TOGETHER = 2
"""Parts with hosts that are only read, at once: one waits between two samples while the other one is read."""
MOST = 50
"""Attempts of a part: what so many workers have begun and not ended ends them, or is a defect of ours."""
JOIN = 60.0
"""Seconds between two looks at runs that were cut off here, and at what nobody needs any more."""
BEAT = 5.0
"""Seconds between two words of a worker."""
TAKEN_OVER = 5.0
"""Seconds that a job waits of a part that somebody else has begun: where it is still ours, nobody else has one."""


class WorkerTold:
    """Listens to a worker; this one is silent. Called from several threads."""

    def begun(self, taken: TakenPart) -> None:
        """A part is begun, or gone on with."""

    def ended(self, taken: TakenPart, outcome: str) -> None:
        """A part has come to its end."""

    def put_back(self, part: str, why: str) -> None:
        """A part could not be brought to its end here: somebody goes on with it."""

    def joined(self, end: EndedElsewhere) -> None:
        """A run that was cut off here has come to its end elsewhere, and is closed here."""

    def away(self, why: str) -> None:
        """The queue does not answer; with "" it does again."""


@dataclass(kw_only=True)
class PartWorker:
    """One worker: `stop` takes no more parts, `hurry` hands those on that are under way.

    `patience` is for how many seconds a store that is away is waited for in the middle of a run.
    """

    place: WorkerPlace
    sites: tuple[str, ...]
    parts: WorkerParts
    jobs: Jobs
    told: WorkerTold
    stop: threading.Event
    patience: float = 300.0
    _reporter: Reporter = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._reporter = Reporter(self.parts, self.told.away)

    def work(self) -> None:
        """Takes parts until `stop` is set, and those under way have come to their end."""
        learn_all()
        beating = threading.Thread(target=self._beat, daemon=True, name="beat")
        with suppress(JournalError):  # the store is away: it is told soon
            self.parts.beat(self.sites, self._forks, SystemClock().now().utc)
        beating.start()
        try:
            self._join()
            with self._reporter:
                looking = threading.Thread(target=self._look, daemon=True, name="looks")
                looking.start()
                self.jobs.work(self.sites, self._forks, self._do, self.stop, failed=self._failed, away=self.told.away)
                looking.join()
        finally:
            self._over.set()
            beating.join()
            with suppress(JournalError):
                self.parts.beat(self.sites, self._forks, SystemClock().now().utc, stopped=True)

    def hurry(self) -> None:
        """Hands on what is under way: each part stops where it can, and another worker goes on with it."""
        self._reporter.stop(HANDED_ON)

    @property
    def _forks(self) -> int:
        return self.place.connectors.forks

    def _look(self) -> None:
        """Hosts that are only read have a queue of their own: they hold up no run."""
        self.jobs.work([f"{LOOKS}{site}" for site in self.sites], TOGETHER, self._do, self.stop, failed=self._failed)

    def _do(self, part: str) -> None:
        taken = self.parts.begin(part, SystemClock().now().utc)
        if taken is None:
            return  # it came to its end elsewhere, or was taken back
        self.told.begun(taken)
        told = PartTold(taken, self.parts, PartStop(), self.patience)
        self._reporter.add(told)
        try:
            outcome = self._outcome(taken, told) if taken.attempt <= MOST else given_up(taken, told)
        except Superseded as error:
            self.told.put_back(part, str(error))
            raise GiveBack(TAKEN_OVER) from None  # whoever has the part may have lost its job to this worker
        else:
            if not outcome:
                self.told.put_back(part, HANDED_ON)
                raise GiveBack
            self.told.ended(taken, outcome)
        finally:
            self._reporter.remove(told)

    def _outcome(self, taken: TakenPart, told: PartTold) -> str:
        if isinstance(taken.placed, PlacedLook):
            return look_at(taken, taken.placed, told, self.place)
        return bring_to_its_end(taken, taken.placed, told, self.place)

    def _failed(self, part: str, error: BaseException) -> None:
        self.told.put_back(part, str(error) or type(error).__name__)

    def _beat(self) -> None:
        joined = SystemClock().now().monotonic
        while not self._over.wait(BEAT):
            with suppress(JournalError):  # it is not heard of while the store is away
                self.parts.beat(self.sites, self._forks, SystemClock().now().utc)
                if SystemClock().now().monotonic - joined >= JOIN:
                    self._join()
                    forget_old(self.parts.store, SystemClock().now().utc)
                    joined = SystemClock().now().monotonic

    def _join(self) -> None:
        try:
            for one in join(self.place.state, self.parts, self.place.witness):
                self.told.joined(one)
        except JournalError as error:  # it is tried again later, and stands in nobody's way
            self.told.away(str(error))


def worker_id(node: str) -> str:
    """A name of its own for each process that works on a node."""
    return f"{node}-{secrets.token_hex(4)}"
