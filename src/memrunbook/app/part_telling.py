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
from memrunbook.core.units import encode
from memrunbook.runtime.clock import SystemClock

if TYPE_CHECKING:
    from memrunbook.state.store.parts import Parts, TakenPart, Telling, Wished

A = TypeVar("A")
EVERY = 0.3
"""Seconds between two tellings: as long as a line of output is behind."""
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
    parts: Parts
    stop: PartStop
    patience: float = 300.0
    attended: bool = True
    answer: str = ""
    _lines: list[bytes] = field(default_factory=list, init=False)
    _said: Telling | None = field(default=None, init=False)
    _number: int = field(default=-1, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._number = self.taken.number

    def recorded(self, record: Mapping[str, Any]) -> None:
        """A record was written."""
        line = msgspec.json.encode(record, enc_hook=encode)
        with self._turn:
            self._lines.append(line)
        if _begins_a_change(record):
            self.now()

    def looked(self, host: str, look: bytes) -> None:
        """A host was looked at; `look` is a JSON object."""
        with self._turn:
            self._lines.append(b'{"host":%b,"look":%b}' % (msgspec.json.encode(host), look))

    def now(self) -> None:
        """Tells all that there is, however long that takes."""
        with self._turn:
            self._tell_all()

    def ask(self, question: str) -> None:
        """Puts a question of a gate to whoever ordered the run; empty takes it back."""
        with self._turn:
            self.answer = ""
            self.patiently(lambda: self.parts.ask(self.taken.id, self.taken.attempt, question))

    def end(self, outcome: str, result: bytes) -> None:
        """Tells the rest, and that the part is over."""
        with self._turn:
            if self._said is not None:
                self._tell_all()
            telling = self._telling()
            self.patiently(lambda: self.parts.end(telling, outcome, result, SystemClock().now().utc))

    def begun(self) -> Telling | None:
        """What is told next; the caller has to say `heard` before anything else is told. None where it is telling."""
        return self._telling() if self._turn.acquire(blocking=False) else None

    def heard(self, telling: Telling, wished: Wished | None) -> None:
        """It was told (None: it was not), and this is wished."""
        try:
            if wished is None:
                return
            self._told(telling)
            self.attended, self.answer = wished.attended, wished.answer
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

    def _tell_all(self) -> None:
        while True:
            telling = self._telling()
            self.patiently(partial(self.parts.tell, telling, SystemClock().now().utc))
            self._told(telling)
            if not self._lines:
                return

    def _telling(self) -> Telling:
        """What is told next; the same again until it is known to be heard: else more would count as heard with it."""
        from memrunbook.state.store.parts import Telling

        part, lines = self.taken.id, tuple(self._lines)
        if self._said is None:
            self._said = Telling(part=part, attempt=self.taken.attempt, number=self._number, lines=lines)
        return self._said

    def _told(self, telling: Telling) -> None:
        self._said = None
        self._number += bool(telling.lines)
        del self._lines[: len(telling.lines)]


class Reporter:
    """Tells for all parts of a worker that are under way, together, several times a second."""

    def __init__(self, parts: Parts, away: Callable[[str], object]) -> None:
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
        """A part is under way from now on."""
        with self._turn:
            self._under_way[told.taken.id] = told

    def remove(self, told: PartTold) -> None:
        """It is over."""
        with self._turn:
            self._under_way.pop(told.taken.id, None)

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


def _begins_a_change(record: Mapping[str, Any]) -> bool:
    request = record.get("request") or {}
    changes = request.get("type") == "Execute" and (request.get("change") or {}).get("effect") != Repeat.READ.value
    return record.get("event") == "asked" and changes
