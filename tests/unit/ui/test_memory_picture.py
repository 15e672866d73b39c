"""The pictures of memory are of the numbers that are told: their parts make up the whole."""

from __future__ import annotations

from msgspec import structs, to_builtins
from tests.unit.ui.test_oom_event import TOLD

from memrunbook.core.units import GIB, MIB
from memrunbook.linux.oomlog.account import OomHolder, OomKilled, OomPlace
from memrunbook.linux.places import Place
from memrunbook.ui.memory_picture import MOST, event_pictures, memory_picture
from memrunbook.ui.picture import Bars, Slice, Stack

PLACES = [
    Place("anonymous", 2 * GIB, 50.0), Place("slab", 512 * MIB, 12.5, kernel=True),
    Place("page tables", 512 * MIB, 12.5, kernel=True), Place("free", GIB, 25.0),
]  # fmt: skip
WHERE = {"memory.total_bytes": 4 * GIB, "memory.available_bytes": GIB, "memory.places": PLACES}


def test_where_the_memory_is_by_parts_that_make_up_all_of_it() -> None:
    [stack] = memory_picture(WHERE, "now")
    assert isinstance(stack, Stack)
    assert stack.parts == (
        Slice("anonymous", 2 * GIB), Slice("kernel", GIB, "slab 512.0 MiB, page tables 512.0 MiB"),
        Slice("free", GIB, spare=True),
    )  # fmt: skip
    assert stack.said == "anonymous 2.0 GiB, kernel 1.0 GiB, free 1.0 GiB."
    assert stack.title == "Where the memory is now: 4.0 GiB, RAM"
    assert memory_picture({**WHERE, "memory.places": to_builtins(PLACES)}, "now") == [stack], "as a journal keeps it"


def test_what_was_not_read_is_not_drawn() -> None:
    assert memory_picture({}, "now") == []
    assert memory_picture({**WHERE, "memory.total_bytes": 0}, "now") == []
    assert memory_picture({**WHERE, "memory.places": None}, "now") == []


def test_an_event_by_its_places_and_by_who_held_them() -> None:
    stack, bars = event_pictures(TOLD)
    assert isinstance(stack, Stack)
    assert stack.parts == (
        Slice("anonymous", 450 * MIB, "17 web"), Slice("slab", MIB), Slice("all else", 48 * MIB),
        Slice("free", MIB, spare=True),
    )  # fmt: skip
    assert sum(part.size for part in stack.parts) == stack.whole == 500 * MIB
    assert isinstance(bars, Bars)
    assert [(part.name, part.size, part.detail) for part in bars.parts] == [
        ("db, pid 7", 11 * MIB, "killed"), ("17 web together", 444 * MIB, "held most and was left alone"),
        ("web, pid 9", 42 * MIB, "would be killed next"),
    ]  # fmt: skip


def test_of_a_group_the_whole_is_what_it_used() -> None:
    stack, *_ = event_pictures(structs.replace(TOLD, of_group=True))
    assert stack.title.endswith(": 500.0 MiB, all that its group used")


def test_small_parts_are_one_and_named() -> None:
    places = tuple(OomPlace(name=f"p{n}", size_bytes=(20 - n) * MIB) for n in range(12))
    stack, *_ = event_pictures(structs.replace(TOLD, places=places, total_bytes=500 * MIB))
    assert isinstance(stack, Stack)
    assert len(stack.parts) == MOST
    assert stack.parts[-1].detail == "p7, p8, p9, p10, p11"


def test_an_event_of_which_nothing_is_known_has_no_picture() -> None:
    told = structs.replace(
        TOLD, places=(), killed=(OomKilled(name="a", pid=1),), hog=(), following=(OomHolder(name="b"),)
    )
    assert event_pictures(told) == []


def test_a_killer_that_tells_no_parts_and_one_that_did_not_come_to_it() -> None:
    told = structs.replace(
        TOLD, fate="chosen", killed=(OomKilled(name="a", pid=1, held_bytes=MIB),), hog=(), following=()
    )
    _, bars = event_pictures(told)
    assert isinstance(bars, Bars)
    assert bars.parts == (Slice("a, pid 1", MIB, "chosen"),)
