"""An order of two hosts in a store of a file, its workers, and a clock of theirs that passes when somebody sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.unit.state.conftest import INVOKED

from memrunbook.app.part_telling import PartStop, PartTold
from memrunbook.core.errors import Interrupted, JournalError, StoreAway
from memrunbook.core.host import Host
from memrunbook.core.run.placed import Placed, PlacedLook, PlacedPart, PlacedRun
from memrunbook.core.run.record import Actor
from memrunbook.state.store.changes import Store
from memrunbook.state.store.orders import Orders, PartSeen
from memrunbook.state.store.parts import PartTelling, TakenPart, Wished, WorkerParts
from memrunbook.testing import START, FixedClock

AT = START.utc
DEADLINE = 20.0
ORDER, FIRST, SECOND = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh", "20261122T094107Z-ijklmnop"
RUN = PlacedRun(invoked=INVOKED)
LOOK = PlacedLook(actor=Actor("ada", control_node="front"))
HOSTS = (Host("web-1"), Host("web-2"))
GONE = StoreAway("the store does not answer: connection refused", where="postgresql://db/x")


class ActingClock(FixedClock):
    """Each sleep does the next thing of `meanwhile`, and raises Interrupted once `stop` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []
        self.stop = threading.Event()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.stop.is_set():
            raise Interrupted

    def leap(self, seconds: float) -> None:
        """So much time passes."""
        super().sleep(seconds)

    def of(self, stop: threading.Event | None = None) -> ActingClock:
        """This one, in the place of the real clock of whoever may be stopped by `stop`."""
        self.stop = stop or self.stop
        return self


@pytest.fixture
def clock() -> ActingClock:
    return ActingClock()


def given(clock: ActingClock, patch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """These modules have this clock from now on."""
    for module in modules:
        patch.setattr(module, "SystemClock", clock.of)


@dataclass(frozen=True)
class AwayParts(WorkerParts):
    """Parts of a store that raises what is `left`, one after the other, before it answers."""

    left: list[Exception] = field(default_factory=list)

    def tell(self, telling: PartTelling, now: float) -> None:
        self._raise()
        super().tell(telling, now)

    def meanwhile(self, tellings: Any, now: float) -> Any:
        self._raise()
        return super().meanwhile(tellings, now)

    def _raise(self) -> None:
        if self.left:
            raise self.left.pop(0)


@dataclass(frozen=True)
class AwayOrders(Orders):
    """The same for whoever placed them; `before` is done before each look."""

    left: list[JournalError] = field(default_factory=list)
    before: list[Callable[[], object]] = field(default_factory=list)

    def look(self, order: str) -> list[PartSeen]:
        if self.left:
            raise self.left.pop(0)
        for does in self.before:
            does()
        return super().look(order)


@dataclass(frozen=True)
class Ordered:
    """A store with an order; `worker` is on node-1."""

    store: Store
    placed: Placed = RUN

    @property
    def orders(self) -> Orders:
        return Orders(self.store)

    def worker(self, node: str = "node-1") -> WorkerParts:
        return WorkerParts(self.store, f"{node}-worker", node)

    def away(self, *errors: Exception) -> AwayParts:
        return AwayParts(self.store, "node-1-worker", "node-1", list(errors))

    def begun(self, part: str = FIRST, node: str = "node-1") -> TakenPart:
        taken = self.worker(node).begin(part, AT)
        assert taken is not None
        return taken

    def told(self, parts: WorkerParts | None = None, part: str = FIRST, patience: float = 300.0) -> PartTold:
        return PartTold(self.begun(part), parts or self.worker(), PartStop(), patience)

    def seen(self, part: str = FIRST) -> PartSeen:
        return next(one for one in self.orders.look(ORDER) if one.id == part)

    def lines(self, part: str = FIRST) -> list[bytes]:
        return self.orders.told({part: 0}).get(part, [])


@contextmanager
def ordered(folder: Path, placed: Placed = RUN, now: float = AT) -> Iterator[Ordered]:
    """The store in this folder, with an order of two parts."""
    store = Store.open(folder, "")
    found = Ordered(store, placed)
    parts = [PlacedPart(id=part, place=n, hosts=(HOSTS[n],)) for n, part in enumerate((FIRST, SECOND))]
    found.orders.place(ORDER, placed, parts, now)
    try:
        yield found
    finally:
        store.close()


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Ordered]:
    with ordered(tmp_path) as found:
        yield found


def hear(told: PartTold) -> Wished:
    """What the reporter does once."""
    telling = told.begun()
    assert telling is not None
    wished = told.parts.meanwhile([telling], AT)[telling.part]
    told.heard(telling, wished)
    return wished
