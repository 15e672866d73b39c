"""How far the parts of an order are, as whoever placed it sees them, and as the workers that begin them leave them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedPart, PlacedRun
from memrunbook.core.run.record import Actor, Invoked
from memrunbook.state.store.changes import Store
from memrunbook.state.store.orders import Orders
from memrunbook.state.store.parts import Parts, Telling

NOW = 1_000.0
RUN = "20261122T094107Z-abcd"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(tmp_path, str(tmp_path / "store.sqlite"))
    yield found
    found.close()


def placed(orders: Orders, *hosts: str) -> None:
    actor = Actor("ada", control_node="front")
    invoked = Invoked(
        time="", engine="", actor=actor, command="", reason="", runbook="small", runbook_digest="", origin="",
        parameters={}, hosts=(),
    )  # fmt: skip
    parts = [PlacedPart(id=f"part-{host}", place=place, host=Host(host)) for place, host in enumerate(hosts)]
    orders.place(PlacedRun(run=RUN, invoked=invoked), parts, "front", NOW)


def states(orders: Orders) -> dict[str, tuple[str, int]]:
    return {one.host: (one.state, one.attempt) for one in orders.look(RUN)}


def test_what_has_ended_can_wait_again_as_a_new_attempt_and_nothing_else_can(store: Store) -> None:
    orders, parts = Orders(store), Parts(store, "w-1", "node-1")
    placed(orders, "web1", "web2", "web3")
    first = parts.begin("part-web1", NOW)
    parts.begin("part-web2", NOW)
    assert first is not None
    orders.stop(["part-web1"])
    parts.end(Telling(part="part-web1", attempt=1, number=0, lines=(b"{}",)), "interrupted", b"{}", NOW)
    assert orders.again(["part-web1", "part-web2", "part-web3"]) == {"part-web1"}
    assert states(orders) == {"web1": ("waiting", 1), "web2": ("running", 1), "web3": ("waiting", 0)}
    [seen] = [one for one in orders.look(RUN) if one.host == "web1"]
    assert (seen.outcome, seen.result, seen.question) == ("", b"", "")
    again = parts.begin("part-web1", NOW)
    assert again is not None
    assert (again.attempt, again.number, again.told, again.node) == (2, 1, (b"{}",), "node-1")
    telling = Telling(part="part-web1", attempt=2, number=1)
    assert not parts.meanwhile([telling], NOW)["part-web1"].stop, "that the one before should stop is forgotten"
    assert orders.again([]) == frozenset()


def test_what_is_told_meanwhile_is_asked_for_next_time(store: Store) -> None:
    orders, parts = Orders(store), Parts(store, "w-1", "node-1")
    placed(orders, "web1")
    parts.begin("part-web1", NOW)
    for number in range(3):
        parts.tell(Telling(part="part-web1", attempt=1, number=number, lines=(b"%d" % number,)), NOW)
    assert orders.told({"part-web1": 0}, {"part-web1": 2}) == {"part-web1": [b"0", b"1"]}
    assert orders.told({"part-web1": 2}, {"part-web1": 3}) == {"part-web1": [b"2"]}


def test_what_was_taken_back_waits_again_when_it_is_placed_again(store: Store) -> None:
    orders = Orders(store)
    placed(orders, "web1", "web2")
    assert orders.stop(["part-web1"]) == {"part-web1"}
    orders.end(RUN, NOW)
    placed(orders, "web1", "web2")
    assert states(orders) == {"web1": ("waiting", 0), "web2": ("waiting", 0)}


def test_who_is_at_work_on_a_host_that_waits_is_told(store: Store) -> None:
    orders, parts = Orders(store), Parts(store, "w-1", "node-1")
    placed(orders, "web1")
    parts.begin("part-web1", NOW)
    actor = Actor("bob", control_node="other")
    invoked = Invoked(
        time="", engine="", actor=actor, command="", reason="", runbook="small", runbook_digest="", origin="",
        parameters={}, hosts=(),
    )  # fmt: skip
    other = PlacedPart(id="later", place=0, host=Host("web1"))
    orders.place(PlacedRun(run="20261122T094108Z-abcd", invoked=invoked), [other], "other", NOW)
    assert orders.busy("20261122T094108Z-abcd") == {"later": f"run {RUN} of ada@front, which node-1 is at there"}
    assert orders.busy(RUN) == {}
