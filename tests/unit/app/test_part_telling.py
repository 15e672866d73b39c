"""What a worker tells of a part when the store has heard it and its answer was lost: nothing else is lost with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.state.conftest import INVOKED, NOW

from memrunbook.app.part_telling import PartStop, PartTold
from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedPart, PlacedRun
from memrunbook.state.store.changes import Store
from memrunbook.state.store.orders import Orders
from memrunbook.state.store.parts import PartTelling, Wished, WorkerParts

ORDER, PART = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh"
BEGINS = {"event": "asked", "n": 2, "request": {"type": "Execute", "change": {"effect": Repeat.ONCE.value}}}


@dataclass(frozen=True)
class AnswerLost(WorkerParts):
    """A store that hears and whose answer is lost as often as `lost` holds something."""

    lost: list[str] = field(default_factory=list)

    def meanwhile(self, tellings: Sequence[PartTelling], now: float) -> Mapping[str, Wished]:
        heard = super().meanwhile(tellings, now)
        if self.lost:
            raise JournalError(self.lost.pop())
        return heard


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[AnswerLost]:
    with closing(Store.open(tmp_path)) as store:
        Orders(store).place(
            ORDER, PlacedRun(invoked=INVOKED), [PlacedPart(id=PART, place=0, hosts=(Host("web-1"),))], NOW.utc
        )
        yield AnswerLost(store, "node-1-worker", "node-1")


def begun(parts: WorkerParts) -> PartTold:
    taken = parts.begin(PART, NOW.utc)
    assert taken is not None
    return PartTold(taken, parts, PartStop())


def told_to_the_next(parts: WorkerParts) -> list[bytes]:
    taken = parts.begin(PART, NOW.utc)
    assert taken is not None
    return [line for line in taken.told if line]


def reported(told: PartTold, parts: WorkerParts) -> None:
    """As the reporter does, several times a second."""
    telling = told.begun()
    assert telling is not None
    wished: Mapping[str, Wished] = {}
    try:
        wished = parts.meanwhile([telling], NOW.utc)
    except JournalError:
        pass
    finally:
        told.heard(telling, wished.get(PART))


def test_a_change_is_not_begun_before_its_record_is_there_though_the_answer_to_the_one_before_was_lost(
    parts: AnswerLost,
) -> None:
    told = begun(parts)
    told.recorded({"n": 1})
    parts.lost.append("the connection was ended")
    reported(told, parts)
    told.recorded(BEGINS)
    assert [b'"n":1' in line or b'"n":2' in line for line in told_to_the_next(parts)] == [True, True]


def test_the_rest_is_told_at_the_end_though_the_answer_to_the_one_before_was_lost(parts: AnswerLost) -> None:
    told = begun(parts)
    told.recorded({"n": 1})
    parts.lost.append("the connection was ended")
    reported(told, parts)
    told.recorded({"n": 2})
    told.end("failed", b"")
    assert Orders(parts.store).told({PART: 0}) == {PART: [b'{"n":1}', b'{"n":2}']}
