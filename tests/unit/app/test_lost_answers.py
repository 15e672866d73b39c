"""A run that workers carry out, and a store that does not answer: a wish to stop is said until it is heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.state.conftest import INVOKED, NOW

from memrunbook.app.following import PartsFollowed
from memrunbook.app.placing import _Watching
from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedPart, PlacedRun
from memrunbook.state.store.changes import Store
from memrunbook.state.store.orders import Orders

ORDER, PART = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh"
HOST = Host("web-1")


@dataclass(frozen=True)
class Away(Orders):
    """A store that does not answer once."""

    lost: list[str] = field(default_factory=list)

    def stop(self, parts: Any) -> frozenset[str]:
        if self.lost:
            raise JournalError(self.lost.pop())
        return super().stop(parts)


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Away]:
    with closing(Store.open(tmp_path)) as store:
        Orders(store).place(ORDER, PlacedRun(invoked=INVOKED), [PlacedPart(id=PART, place=0, hosts=(HOST,))], NOW.utc)
        yield Away(store)


def watching(orders: Orders, stop: threading.Event) -> _Watching:
    running: Any = SimpleNamespace(
        orders=orders, stop=stop, following=PartsFollowed(orders, ORDER, lambda _what, _hint: None)
    )
    running.rolling = SimpleNamespace(failures=SimpleNamespace(reached=lambda: None))
    return _Watching(running, HOST, PART)


def test_a_wish_to_stop_that_the_store_did_not_hear_is_said_again(orders: Away) -> None:
    stop = threading.Event()
    one = watching(orders, stop)
    stop.set()
    orders.lost.append("the store does not answer")
    ends = []
    for _ in range(3):
        ends.append(one.end(one.running.following.part(PART)))
        one.running.following.at_once()
    assert ends[:2] == [None, None]
    assert [event.outcome for event in ends[2] or ()] == ["not_begun"]  # type: ignore[union-attr]
