"""The past is asked once, at the first reading; what it says is part of the reading, whatever happens to it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from memrunbook.core.errors import JournalError
from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.fact import Doc, EarlierReadings, Fact, Reading, Unavailable
from memrunbook.core.reading.series import Observation, Series
from memrunbook.runtime.recall import KNOWN_SECONDS, Recollection
from memrunbook.testing import MemoryPast

HOST = HostIdentity(machine_id="m1", boot_id="b1")
NOW = 2e9


class Seen(Reading, frozen=True, kw_only=True):
    points: Annotated[int, Doc("points known")] = 0
    why: Annotated[str, Doc("why not")] = ""
    boot: Annotated[str, Doc("boot")] = ""


def look(reading: Seen, earlier: EarlierReadings) -> Seen:
    known = sum(len(points) for _, points in earlier.of("host", "memory.available_bytes"))
    return msgspec.structs.replace(reading, points=known, why=earlier.problem, boot=earlier.boot)


FACTS = {
    "seen": Fact(Seen, lambda *_: Seen(), asks=(), recall=look),
    "plain": Fact(Seen, lambda *_: Seen(), asks=()),
}
READ: dict[str, Reading | Unavailable] = {"seen": Seen(), "plain": Seen()}


def past(**given: JournalError) -> MemoryPast:
    known = MemoryPast()
    points = (Observation(NOW - KNOWN_SECONDS - 1, 1.0), Observation(NOW - 60, 1.0), Observation(NOW - 30, 1.0))
    known.keep("lab", "m1", [Series("host", "", "memory.available_bytes", points)])
    known.error = given.get("error")
    return known


def test_it_is_asked_once_for_a_week_and_only_who_asks_is_told() -> None:
    known = past()
    recollection = Recollection(known)
    for _ in range(2):
        told = recollection.completed(READ, FACTS, "other-name", HOST, NOW)
        assert told == {"seen": Seen(points=2, boot="b1"), "plain": Seen()}
    assert known.asked == 1


def test_nobody_is_asked_where_no_fact_wants_to_know() -> None:
    known, unread = past(), Unavailable("denied", "no")
    readings: dict[str, Reading | Unavailable] = {"plain": Seen(), "seen": unread, "gone": Seen()}
    assert Recollection(known).completed(readings, FACTS, "lab", HOST, NOW) is readings
    assert known.asked == 0


def test_a_past_that_cannot_be_read_is_a_reason_and_no_end() -> None:
    known = past(error=JournalError("the store is damaged"))
    recollection = Recollection(known)
    for _ in range(2):
        assert recollection.completed(READ, FACTS, "lab", HOST, NOW)["seen"] == Seen(
            why="the store is damaged", boot="b1"
        )
    assert known.asked == 1
    assert Recollection().completed(READ, FACTS, "lab", HOST, NOW)["seen"] == Seen(boot="b1")
