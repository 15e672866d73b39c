"""What a worker knows of the attempts before its own: as told, and as its own journal has it where it is the last."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.app.ordered import FIRST, HOSTS, Ordered, order
from tests.unit.state.conftest import INVOKED, NOW

from memrunbook.app.connectors import Connectors
from memrunbook.app.part_running import LINKS, WorkerPlace, _earlier, done_before
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.placed import PartSaid
from memrunbook.core.run.record import Recorded, plain
from memrunbook.documents.library import Library
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import records
from memrunbook.state.store.parts import TakenPart

__all__ = ["order"]
SAID = msgspec.json.encode(PartSaid(waits="for a turn"))


@pytest.fixture
def place(tmp_path: Path) -> WorkerPlace:
    return WorkerPlace(node="node-1", library=Library(), state=tmp_path / "node-1", store="", connectors=Connectors())


def step(name: str) -> dict[str, Any]:
    return plain(Recorded(StepFinished(id=name, name=name, action="run_command", item="", state="done")))


@contextmanager
def attempt(place: WorkerPlace) -> Iterator[RunDirectory]:
    """The run of the part in the state directory of the node, as an attempt that is killed leaves it."""
    place.state.mkdir(exist_ok=True)
    again = (place.state / "runs" / FIRST).exists()
    with (RunDirectory.reopen if again else RunDirectory.create)(place.state, FIRST, lambda: NOW) as directory:
        if not again:
            directory.run.append(plain(INVOKED))
        yield directory


def wrote(place: WorkerPlace, *steps: str) -> list[bytes]:
    """What a node has written down of such steps, as it is told."""
    with attempt(place) as directory:
        for name in steps:
            directory.host(HOSTS[0].name).append(step(name))
    kept = records(place.state, FIRST, HOSTS[0].name)[-len(steps) :]
    return [msgspec.json.encode({name: value for name, value in one.items() if name not in LINKS}) for one in kept]


def taken(order: Ordered, *told: bytes, node: str = "node-1") -> TakenPart:
    return msgspec.structs.replace(order.begun(), attempt=2, node=node, told=told)


def names(found: list[Any]) -> list[str]:
    return [one["record"]["id"] for one in found]


def test_what_this_node_did_not_tell_of_its_last_attempt_is_known_and_told(order: Ordered, place: WorkerPlace) -> None:
    one, _two, _three = wrote(place, "one", "two", "three")
    again = taken(order, SAID, one)
    known, untold = done_before(again, place)
    assert (names(known), names(untold)) == (["one"], ["two", "three"])
    assert not any(name in record for record in untold for name in LINKS)
    told = order.told()
    part = _earlier(again, told, place)
    assert [event.id for event in part.events if isinstance(event, StepFinished)] == ["one", "two", "three"]
    told.now()
    assert names([msgspec.json.decode(line) for line in order.lines()]) == ["two", "three"]


def test_nothing_was_told_yet(order: Ordered, place: WorkerPlace) -> None:
    wrote(place, "one", "two")
    known, untold = done_before(taken(order), place)
    assert (known, names(untold)) == ([], ["one", "two"])


def test_what_another_node_has_told_since_stands_in_the_place_of_what_was_not_told_here(
    order: Ordered, place: WorkerPlace
) -> None:
    one, _two = wrote(place, "one", "two")
    other = dataclasses.replace(place, node="node-2", state=place.state.with_name("node-2"))
    two, three = wrote(other, "two", "three")
    for last, node in (([], "node-1"), ([three], "node-1"), ([three], "node-2")):
        again = taken(order, one, two, *last, node=node)
        known, untold = done_before(again, place)
        assert (names(known), untold) == (["one", "two", *(["three"] if last else [])], [])
    (four,) = wrote(place, "four")
    wrote(place, "five")
    known, untold = done_before(taken(order, one, two, three, four), place)
    assert (names(known)[-1], names(untold)) == ("four", ["five"])


def test_a_node_without_a_journal_of_it_knows_what_was_told(order: Ordered, place: WorkerPlace) -> None:
    other = dataclasses.replace(place, node="node-2", state=place.state.with_name("node-2"))
    (one,) = wrote(other, "one")
    for node in ("node-1", "node-2"):
        known, untold = done_before(taken(order, one, node=node), place)
        assert (names(known), untold) == (["one"], [])
