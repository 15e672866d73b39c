"""A worker that another one has taken a part from keeps its job for whoever goes on: that one may have none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.state.conftest import INVOKED, NOW

from memrunbook.app.connectors import Connectors
from memrunbook.app.part_running import WorkerPlace
from memrunbook.app.working import PartWorker, WorkerTold
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.run.placed import PlacedPart, PlacedRun
from memrunbook.documents.library import Library
from memrunbook.runtime.jobs import GiveBack
from memrunbook.state.store.changes import Store
from memrunbook.state.store.orders import Orders
from memrunbook.state.store.parts import TakenPart, WorkerParts

ORDER, PART = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh"


class TakenByAnother(WorkerTold):
    """As soon as this worker has begun the part another one begins it: it was frozen when its job was put back."""

    def __init__(self, parts: WorkerParts) -> None:
        self.parts = parts

    def begun(self, taken: TakenPart) -> None:
        assert self.parts.begin(taken.id, NOW.utc) is not None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(tmp_path)) as store:
        here = Host("localhost", transport=LOCAL)  # which is refused: no more is to be done of it
        Orders(store).place(ORDER, PlacedRun(invoked=INVOKED), [PlacedPart(id=PART, place=0, hosts=(here,))], NOW.utc)
        yield store


def worker(store: Store, told: WorkerTold, folder: Path) -> PartWorker:
    place = WorkerPlace(node="node-1", library=Library(), state=folder, store="", connectors=Connectors())
    return PartWorker(
        place=place,
        sites=("default",),
        parts=WorkerParts(store, "node-1-worker", "node-1"),
        jobs=None,  # type: ignore[arg-type]  # none is taken here
        told=told,
        stop=threading.Event(),
    )


def test_a_part_that_another_one_has_begun_stays_in_the_queue(store: Store, tmp_path: Path) -> None:
    other = WorkerParts(store, "node-2-worker", "node-2")
    with pytest.raises(GiveBack):
        worker(store, TakenByAnother(other), tmp_path)._do(PART)
    assert other.begin(PART, NOW.utc) is not None, "it is under way still"


def test_a_part_that_came_to_its_end_leaves_the_queue(store: Store, tmp_path: Path) -> None:
    worker(store, WorkerTold(), tmp_path)._do(PART)
    assert [one.outcome for one in Orders(store).look(ORDER)] == ["refused"]
