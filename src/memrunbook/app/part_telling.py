"""Tells whoever ordered a run how each part goes that a worker is at, and hears what is wished of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from memrunbook.app.notice import Notice
from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import JournalError
from memrunbook.core.run.placed import PartSaid
from memrunbook.core.units import encode
from memrunbook.runtime.clock import SystemClock

if TYPE_CHECKING:
    from memrunbook.state.store.parts import PartTelling, TakenPart, Wished, WorkerParts

A = TypeVar("A")
EVERY = 0.3
"""Seconds between two tellings: as long as a line of output is behind."""
ALONE = 15.0
"""Seconds without whoever ordered it until nobody is there: a store comes back to one before the other."""
AGAIN = 1.0
"""Seconds until a store that did not answer is asked again."""


HANDED_ON = "the worker was stopped: another one goes on with it"


class PartStop(threading.Event):
    """Set when a part shall come to its end early; `why` says who wishes that."""

    why = ""

    def wish(self, why: str) -> None:
        """Asks for it."""
        self.why = self.why or why
        self.set()

    @property
    def hands_on(self) -> bool:
        """True where another worker shall go on with it."""
        return self.why == HANDED_ON


@dataclass
class PartTold(Notice):
    """What one part of a run tells: the records of its journal, as soon as they stand there.

    A record that begins a change is told before that is carried out: JournalError where that cannot be, Superseded
    where another worker has the part by now.
    """

    taken: TakenPart
    parts: WorkerParts
    stop: PartStop
    patience: float = 300.0
    attended: bool = True
    answer: str = ""
    _lines: list[bytes] = field(default_factory=list, init=False)
    _waited: str = field(default="", init=False)
    _tellings: int = field(default=0, init=False)
    _unheard: PartTelling | None = field(default=None, init=False)
    _alone_since: float | None = field(default=None, init=False)
    _turn: threading.RLock = field(default_factory=threading.RLock, init=False)

    def recorded(self, record: Mapping[str, Any]) -> None:
        """A record was written."""
        line = msgspec.json.encode(record, enc_hook=encode)
        with self._turn:
            self._lines.append(line)
        if _must_be_known(record):
            self.now()

    def waits(self, host: str, why: str) -> None:  # noqa: ARG002  the port's signature
        """What a host waits for is told once; each look at it is not."""
        if why != self._waited:
            self._waited = why
            self.say(msgspec.json.encode(PartSaid(waits=f"{why} (on {self.parts.node})")))

    def remark(self, words: str, hint: str) -> None:
        """What a person should know is told where the run was ordered."""
        self.say(
            msgspec.json.encode(
                PartSaid(remark=f"{self.taken.hosts[0].name}, on {self.parts.node}: {words}", hint=hint)
            )
        )

    def say(self, line: bytes) -> None:
        """Tells a line of JSON that is no record."""
        with self._turn:
            self._lines.append(line)

    def now(self) -> None:
        """Tells all that there is, however long that takes."""
        with self._turn:
            while True:
                telling = self._telling()
                self.patiently(partial(self.parts.tell, telling, SystemClock().now().utc))
                self._told(telling)
                if not self._lines:
                    return

    def ask(self, question: str) -> None:
        """Puts a question of a gate to whoever ordered the run; empty takes it back."""
        with self._turn:
            self.answer = ""
            self.patiently(lambda: self.parts.ask(self.taken.id, self.taken.attempt, question))

    def end(self, outcome: str, result: bytes) -> None:
        """Tells the rest, and that the part is over."""
        with self._turn:
            if self._unheard is not None:
                self.now()
            telling = self._telling()
            self.patiently(lambda: self.parts.end(telling, outcome, result, SystemClock().now().utc))

    def begun(self) -> PartTelling | None:
        """What is told next; the caller has to say `heard` before anything else is told. None where it is telling."""
        return self._telling() if self._turn.acquire(blocking=False) else None

    def heard(self, telling: PartTelling, wished: Wished | None) -> None:
        """It was told (None: it was not), and this is wished."""
        try:
            if wished is None:
                return
            self._told(telling)
            self.answer = wished.answer
            now = SystemClock().now().monotonic
            since = None if wished.attended else now if self._alone_since is None else self._alone_since
            self.attended = not wished.gone and (since is None or now - since < ALONE)
            self._alone_since = since
            if not wished.mine:
                self.stop.wish("another worker has taken over")
            elif wished.stop:
                self.stop.wish("a person asked to stop")
        finally:
            self._turn.release()

    def patiently(self, does: Callable[[], A]) -> A:
        """What the store answers; one that is away is waited for: nothing is begun meanwhile, and nothing is lost."""
        from memrunbook.state.store.parts import Superseded

        clock = SystemClock()
        until = clock.now().monotonic + self.patience
        while True:
            try:
                return does()
            except Superseded:
                self.stop.wish("another worker has taken over")
                raise
            except JournalError:
                if self.stop.is_set() or clock.now().monotonic >= until:
                    raise
            clock.sleep(AGAIN)

    def _telling(self) -> PartTelling:
        """What is told next; the same again until it is known to be heard: else more would count as heard with it."""
        from memrunbook.state.store.parts import PartTelling

        if self._unheard is None:
            number, lines = self.taken.number + self._tellings, tuple(self._lines)
            self._unheard = PartTelling(part=self.taken.id, attempt=self.taken.attempt, number=number, lines=lines)
        return self._unheard

    def _told(self, telling: PartTelling) -> None:
        self._unheard = None
        self._tellings += bool(telling.lines)
        del self._lines[: len(telling.lines)]


class Reporter:
    """Tells for all parts of a worker that are under way, together, several times a second."""

    def __init__(self, parts: WorkerParts, away: Callable[[str], object]) -> None:
        self._parts, self._away = parts, away
        self._under_way: dict[str, PartTold] = {}
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reporter")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def add(self, told: PartTold) -> None:
        """A part is under way from now on; of two attempts at it here the earlier one has lost it, and stops."""
        with self._turn:
            both = sorted([self._under_way.get(told.taken.id, told), told], key=lambda one: one.taken.attempt)
            self._under_way[told.taken.id] = both[-1]
        if both[0] is not both[-1]:
            both[0].stop.wish("another worker has taken over, and it is begun here again")

    def remove(self, told: PartTold) -> None:
        """It is over; a later attempt at it that is under way here goes on."""
        with self._turn:
            if self._under_way.get(told.taken.id) is told:
                del self._under_way[told.taken.id]

    def stop(self, why: str) -> None:
        """Every part that is under way shall come to its end."""
        with self._turn:
            for told in self._under_way.values():
                told.stop.wish(why)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            with self._turn:
                there = list(self._under_way.values())
            if there:
                self._tell(there)

    def _tell(self, there: list[PartTold]) -> None:
        tellings = [(one, telling) for one in there if (telling := one.begun()) is not None]
        wished: Mapping[str, Wished] = {}
        try:
            wished = self._parts.meanwhile([telling for _, telling in tellings], SystemClock().now().utc)
        except JournalError:
            self._over.wait(AGAIN)  # it is told later, nothing is lost
        except Exception as error:  # noqa: BLE001  without this thread no part would hear of anything any more
            self._away(f"a defect of ours: {type(error).__name__}: {error}")
            self._over.wait(AGAIN)
        finally:
            for one, telling in tellings:
                one.heard(telling, wished.get(telling.part))


def _must_be_known(record: Mapping[str, Any]) -> bool:
    """True for what begins a change, and before the host's marks go with its lock: they are the last to tell of it."""
    request = record.get("request") or {}
    changes = request.get("type") == "Execute" and (request.get("change") or {}).get("effect") != Repeat.READ.value
    return record.get("event") == "asked" and (changes or request.get("type") == "Unlock")
