"""What is left of an order that has come to its end: nobody begins what nobody waits for."""

from __future__ import annotations

from tests.unit.state.conftest import INVOKED, NOW, Opened

from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedPart, PlacedRun
from memrunbook.state.store.orders import Orders
from memrunbook.state.store.parts import WorkerParts

AT = NOW.utc
ORDER, FIRST, SECOND = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh", "20261122T094107Z-ijklmnop"
RUN = PlacedRun(invoked=INVOKED)
PARTS = [PlacedPart(id=part, place=n, hosts=(Host(f"web-{n}"),)) for n, part in enumerate((FIRST, SECOND))]


def test_what_nobody_has_begun_of_an_ended_order_is_begun_by_nobody_until_it_is_gone_on_with(opened: Opened) -> None:
    orders = Orders(opened())
    workers = WorkerParts(orders.store, "node-1-worker", "node-1")
    orders.place(ORDER, RUN, PARTS, AT)
    assert workers.begin(FIRST, AT) is not None
    orders.end(ORDER, AT + 1)
    assert {one.id: one.state for one in orders.look(ORDER)} == {FIRST: "running", SECOND: "withdrawn"}
    assert workers.begin(SECOND, AT + 2) is None
    orders.place(ORDER, RUN, PARTS, AT + 3)
    assert workers.begin(SECOND, AT + 4) is not None
