"""Works for other control nodes: takes parts of runs at its sites, and brings each to its end."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from memrunbook.app.learning import learn_all
from memrunbook.app.part_running import WorkerPlace, bring_to_its_end
from memrunbook.app.part_telling import HANDED_ON, PartStop, PartTold, Reporter
from memrunbook.app.taken_over import close_taken_over
from memrunbook.core.errors import JournalError
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.jobs import GiveBack, Jobs
from memrunbook.state.store.parts import Parts, Superseded, TakenPart

BEAT = 5.0
"""Seconds between two words of a worker."""
CLOSED_EVERY = 12
"""Of these words: then it is looked whether others have ended what was begun here."""


class Told:
    """Listens to a worker; this one is silent. Called from several threads."""

    def begun(self, taken: TakenPart) -> None:
        """A part is begun, or gone on with."""

    def ended(self, taken: TakenPart, outcome: str) -> None:
        """A part has come to its end."""

    def put_back(self, part: str, why: str) -> None:
        """A part could not be brought to its end here: somebody goes on with it."""

    def away(self, why: str) -> None:
        """The queue does not answer; with "" it does again."""


@dataclass(kw_only=True)
class Worker:
    """One worker: `stop` takes no more parts, `hurry` hands those on that are under way.

    `patience` is for how many seconds a store that is away is waited for in the middle of a run.
    """

    place: WorkerPlace
    sites: tuple[str, ...]
    parts: Parts
    jobs: Jobs
    told: Told
    stop: threading.Event
    patience: float = 300.0
    _reporter: Reporter = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._reporter = Reporter(self.parts)

    def work(self) -> None:
        """Takes parts until `stop` is set, and those under way have come to their end."""
        learn_all()
        beating = threading.Thread(target=self._beat, daemon=True, name="beat")
        self.parts.beat(self.sites, self._forks, SystemClock().now().utc)
        beating.start()
        try:
            with self._reporter:
                self.jobs.work(self.sites, self._forks, self._do, self.stop, failed=self._failed, away=self.told.away)
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

    def _do(self, part: str) -> None:
        taken = self.parts.begin(part, SystemClock().now().utc)
        if taken is None:
            return  # it came to its end elsewhere, or was taken back
        self.told.begun(taken)
        told = PartTold(taken, self.parts, PartStop(), self.patience)
        self._reporter.add(told)
        try:
            outcome = bring_to_its_end(taken, told, self.place)
        except Superseded as error:
            self.told.put_back(part, str(error))
        else:
            if not outcome:
                self.told.put_back(part, HANDED_ON)
                raise GiveBack
            self.told.ended(taken, outcome)
        finally:
            self._reporter.remove(told)

    def _failed(self, part: str, error: BaseException) -> None:
        self.told.put_back(part, str(error) or type(error).__name__)

    def _beat(self) -> None:
        beats = 0
        while not self._over.wait(BEAT if beats else 0.0):
            with suppress(JournalError):  # it is not heard of while the store is away
                self.parts.beat(self.sites, self._forks, SystemClock().now().utc)
                if beats % CLOSED_EVERY == 0:
                    close_taken_over(self.place.state, self.parts)
            beats += 1


def worker_id(node: str) -> str:
    """A name of its own for each process that works on a node."""
    return f"{node}-{secrets.token_hex(4)}"
