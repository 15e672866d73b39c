"""What one control node has others do: placed once, begun by one at a time, told in order, ended once."""

from __future__ import annotations

import threading

import pytest
from tests.unit.state.conftest import INVOKED, NOW, Opened

from memrunbook.core.errors import JournalError
from memrunbook.core.host import Host
from memrunbook.core.run.placed import PlacedLook, PlacedPart, PlacedRun
from memrunbook.core.run.record import Actor
from memrunbook.core.units import DAY
from memrunbook.state.store.orders import HEARD_WITHIN, KEPT, Orders, forget_old, packed, unpacked
from memrunbook.state.store.parts import EndedElsewhere, PartTelling, Superseded, TakenPart, Wished, WorkerParts

AT = NOW.utc
ORDER, FIRST, SECOND = "20261122T094107Z-abcd", "20261122T094107Z-abcdefgh", "20261122T094107Z-ijklmnop"
RUN = PlacedRun(invoked=INVOKED, consents=("restart_unit",), lock_patience=5.0)
HOSTS = (Host("web-1", user="ops", port=2222), Host("web-2"))
PARTS = [PlacedPart(id=part, place=n, hosts=(HOSTS[n],)) for n, part in enumerate((FIRST, SECOND))]


@pytest.fixture
def orders(opened: Opened) -> Orders:
    """The store with an order of two parts."""
    found = Orders(opened())
    found.place(ORDER, RUN, PARTS, AT)
    return found


def worker(orders: Orders, node: str = "node-1") -> WorkerParts:
    return WorkerParts(orders.store, f"{node}-worker", node)


def begun(parts: WorkerParts, part: str = FIRST, at: float = AT) -> TakenPart:
    taken = parts.begin(part, at)
    assert taken is not None
    return taken


def telling(taken: TakenPart, *lines: bytes, number: int = 0) -> PartTelling:
    return PartTelling(part=taken.id, attempt=taken.attempt, number=taken.number + number, lines=lines)


def told(orders: Orders, since: dict[str, int]) -> dict[str, list[bytes]]:
    return orders.told(since, dict.fromkeys(since, 99))


def states(orders: Orders) -> dict[str, str]:
    return {one.host: one.state for one in orders.look(ORDER)}


def test_a_worker_gets_what_was_ordered(orders: Orders) -> None:
    taken = begun(worker(orders))
    assert (taken.placed, taken.hosts, taken.order) == (RUN, (HOSTS[0],), ORDER)
    assert (taken.attempt, taken.number, taken.node, taken.told) == (1, 0, "", ())
    [first, second] = sorted(orders.look(ORDER), key=lambda one: one.host)
    assert (first.state, first.attempt, first.node) == ("running", 1, "node-1")
    assert (second.state, second.attempt, second.node) == ("waiting", 0, "")


def test_an_order_that_is_placed_again_stays_as_it_is_and_gets_the_parts_that_it_has_not(opened: Opened) -> None:
    orders = Orders(opened())
    orders.place(ORDER, RUN, PARTS[:1], AT)
    begun(worker(orders))
    orders.place(ORDER, PlacedLook(actor=Actor("eve")), PARTS, AT + 5)
    assert states(orders) == {"web-1": "running", "web-2": "waiting"}
    assert begun(worker(orders), SECOND).placed == RUN


def test_whoever_takes_a_part_over_gets_all_that_was_told_and_the_one_before_is_heard_no_more(orders: Orders) -> None:
    one, other = worker(orders), worker(orders, "node-2")
    mine = begun(one)
    one.tell(telling(mine, b'{"n":1}', b'{"n":2}'), AT)
    taken = begun(other)
    assert (taken.attempt, taken.node, taken.told, taken.number) == (2, "node-1", (b'{"n":1}', b'{"n":2}'), 1)
    with pytest.raises(Superseded):
        one.tell(telling(mine, b'{"n":3}', number=1), AT)
    with pytest.raises(Superseded):
        one.ask(FIRST, mine.attempt, "may I?")
    with pytest.raises(Superseded):
        one.end(telling(mine, b'{"n":3}', number=1), "resolved", b"", AT)
    other.end(telling(taken, b'{"n":4}'), "unresolved", b"{}", AT + 9)
    assert told(orders, {FIRST: 0}) == {FIRST: [b'{"n":1}', b'{"n":2}', b'{"n":4}']}
    [seen] = [seen for seen in orders.look(ORDER) if seen.id == FIRST]
    assert (seen.state, seen.outcome, seen.node, seen.result) == ("ended", "unresolved", "node-2", b"{}")


def test_what_is_told_once_more_counts_once(orders: Orders) -> None:
    """Whoever heard nothing of its commit says it again."""
    parts = worker(orders)
    mine = begun(parts)
    parts.tell(telling(mine, b"1"), AT)
    parts.tell(telling(mine, b"1"), AT)
    parts.end(telling(mine, b"2", number=1), "resolved", b"", AT)
    parts.end(telling(mine, b"2", number=1), "resolved", b"", AT)
    assert told(orders, {FIRST: 0}) == {FIRST: [b"1", b"2"]}


def test_only_what_is_new_is_told(orders: Orders) -> None:
    parts = worker(orders)
    first, second = begun(parts), begun(parts, SECOND)
    parts.meanwhile([telling(first, b"1"), telling(second, b"a")], AT)
    parts.meanwhile([telling(first, b"2", number=1), telling(second, number=1)], AT)
    assert {one.id: one.told for one in orders.look(ORDER)} == {FIRST: 2, SECOND: 1}
    assert told(orders, {FIRST: 1, SECOND: 0}) == {FIRST: [b"2"], SECOND: [b"a"]}
    assert told(orders, {}) == {}


def test_what_is_told_meanwhile_is_asked_for_next_time(orders: Orders) -> None:
    parts = worker(orders)
    mine = begun(parts)
    for number in range(3):
        parts.tell(telling(mine, b"%d" % number, number=number), AT)
    assert orders.told({FIRST: 0}, {FIRST: 2}) == {FIRST: [b"0", b"1"]}
    assert orders.told({FIRST: 2}, {FIRST: 3}) == {FIRST: [b"2"]}


def test_what_has_ended_can_wait_again_as_a_new_attempt_and_nothing_else_can(orders: Orders) -> None:
    parts = worker(orders)
    mine = begun(parts)
    orders.stop([FIRST])
    parts.end(telling(mine, b"{}"), "interrupted", b"{}", AT)
    begun(parts, SECOND)
    assert orders.again([FIRST, SECOND]) == {FIRST}
    assert states(orders) == {"web-1": "waiting", "web-2": "running"}
    [seen] = [one for one in orders.look(ORDER) if one.id == FIRST]
    assert (seen.outcome, seen.result, seen.question) == ("", b"", "")
    again = begun(parts)
    assert (again.attempt, again.number, again.told, again.node) == (2, 1, (b"{}",), "node-1")
    assert not parts.meanwhile([telling(again)], AT)[FIRST].stop, "that the one before should stop is forgotten"
    assert orders.again([]) == frozenset()


def test_who_is_at_work_on_a_host_that_waits_is_told(orders: Orders) -> None:
    begun(worker(orders))
    other = "20261122T094108Z-abcd"
    orders.place(other, RUN, [PlacedPart(id="20261122T094108Z-partpart", place=0, hosts=HOSTS[:1])], AT)
    said = f"run {ORDER} of ada@, which node-1 is at there"
    assert orders.busy(other) == {"20261122T094108Z-partpart": said}
    assert orders.busy(ORDER) == {}


def test_an_ended_part_is_begun_by_nobody_and_neither_is_one_that_was_taken_back(orders: Orders) -> None:
    parts = worker(orders)
    mine = begun(parts)
    assert orders.stop([FIRST, SECOND]) == frozenset([SECOND])
    assert parts.meanwhile([telling(mine)], AT)[FIRST].stop
    parts.end(telling(mine), "interrupted", b"", AT)
    assert (parts.begin(FIRST, AT), parts.begin(SECOND, AT), parts.begin("20261122T094107Z-nobodyyy", AT)) == (
        None,
    ) * 3
    assert states(orders) == {"web-1": "ended", "web-2": "withdrawn"}
    orders.place(ORDER, RUN, PARTS, AT + 60)
    assert states(orders) == {"web-1": "ended", "web-2": "waiting"}, "a run that goes on has its hosts begun"
    assert begun(parts, SECOND).placed == RUN


def test_a_gate_is_asked_and_answered_for_the_attempt_that_asks(orders: Orders) -> None:
    one, other = worker(orders), worker(orders, "node-2")
    mine = begun(one)
    one.ask(FIRST, mine.attempt, "may I?")
    [seen] = [seen for seen in orders.look(ORDER) if seen.question]
    assert (seen.id, seen.question) == (FIRST, "may I?")
    taken = begun(other)
    orders.answer(FIRST, mine.attempt, "yes")
    assert [seen.question for seen in orders.look(ORDER)] == ["", ""], "nobody asks any more"
    assert other.meanwhile([telling(taken)], AT)[FIRST].answer == ""
    other.ask(FIRST, taken.attempt, "may I?")
    orders.answer(FIRST, mine.attempt, "yes")
    assert other.meanwhile([telling(taken)], AT)[FIRST].answer == "", "it was the answer to another attempt"
    orders.answer(FIRST, taken.attempt, "no")
    assert other.meanwhile([telling(taken)], AT)[FIRST].answer == "no"
    assert [seen.question for seen in orders.look(ORDER)] == ["", ""]
    other.ask(FIRST, taken.attempt, "")
    assert other.meanwhile([telling(taken)], AT)[FIRST].answer == ""


def test_a_worker_hears_whether_somebody_waits_for_its_answers(orders: Orders) -> None:
    parts = worker(orders)
    mine = begun(parts)

    def attended(at: float) -> bool:
        return parts.meanwhile([telling(mine)], at)[FIRST].attended

    assert (attended(AT + 1), attended(AT + HEARD_WITHIN + 1)) == (True, False)
    orders.beat(ORDER, AT + HEARD_WITHIN)
    assert attended(AT + HEARD_WITHIN + 1)
    orders.end(ORDER, AT + HEARD_WITHIN)
    assert not attended(AT + HEARD_WITHIN + 1)


def test_who_has_lost_a_part_is_told_so_beside_those_that_are_its_own(orders: Orders) -> None:
    one, other = worker(orders), worker(orders, "node-2")
    lost, kept = begun(one), begun(one, SECOND)
    begun(other)
    wished = one.meanwhile([telling(lost, b"1"), telling(kept, b"2")], AT)
    assert wished == {FIRST: Wished(), SECOND: Wished(mine=True, attended=True)}
    assert told(orders, {FIRST: 0, SECOND: 0}) == {SECOND: [b"2"]}


def test_of_many_that_begin_a_part_at_once_the_last_one_has_it(orders: Orders) -> None:
    attempts: list[int] = []

    def begin(number: int) -> None:
        attempts.append(begun(worker(orders, f"node-{number}")).attempt)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(attempts) == [1, 2, 3, 4, 5, 6]
    [seen] = [seen for seen in orders.look(ORDER) if seen.id == FIRST]
    assert seen.attempt == 6


def test_workers_are_there_while_they_are_heard_of(opened: Opened) -> None:
    orders = Orders(opened())
    one = worker(orders)
    one.beat(["default", "berlin"], 50, AT)
    [seen] = orders.workers()
    assert (seen.node, seen.sites, seen.forks) == ("node-1", ("default", "berlin"), 50)
    assert (seen.there(AT + 1), seen.there(AT + HEARD_WITHIN), seen.there(AT - 3600)) == (True, False, False)
    one.beat(["default"], 50, AT + HEARD_WITHIN)
    assert orders.workers()[0].there(AT + HEARD_WITHIN)
    one.beat(["default"], 50, AT + HEARD_WITHIN, stopped=True)
    assert not orders.workers()[0].there(AT + HEARD_WITHIN)


def test_a_node_hears_which_of_its_parts_came_to_their_end_elsewhere(orders: Orders) -> None:
    one, other = worker(orders), worker(orders, "node-2")
    begun(one)
    begun(one, SECOND)
    assert one.ended_elsewhere([FIRST, SECOND]) == []
    other.end(telling(begun(other)), "resolved", b"", AT)
    assert one.ended_elsewhere([FIRST, SECOND]) == [EndedElsewhere(FIRST, "node-2", "resolved")]
    assert other.ended_elsewhere([FIRST, SECOND]) == []
    assert one.ended_elsewhere([]) == []


def test_a_look_at_several_hosts_is_one_part_and_forgotten_as_a_whole(opened: Opened) -> None:
    orders, look = Orders(opened()), PlacedLook(actor=Actor("ada", control_node="ctl"), quick=True)
    orders.place(ORDER, RUN, PARTS[:1], AT)
    orders.place("20261122T094107Z-looklook", look, [PlacedPart(id=SECOND, place=0, hosts=HOSTS)], AT)
    parts = worker(orders)
    mine = begun(parts, SECOND)
    assert (mine.placed, mine.hosts) == (look, HOSTS)
    parts.tell(telling(mine, b"1"), AT)
    orders.forget("20261122T094107Z-looklook")
    assert orders.look("20261122T094107Z-looklook") == []
    assert told(orders, {SECOND: 0}) == {}
    with pytest.raises(Superseded):
        parts.tell(telling(mine, b"2", number=1), AT)
    assert states(orders) == {"web-1": "waiting"}


def test_old_orders_are_forgotten_and_workers_that_are_gone_so_long(orders: Orders) -> None:
    look = PlacedLook(actor=Actor("ada"))
    orders.place(
        "20261122T094107Z-looklook", look, [PlacedPart(id="20261122T094107Z-partpart", place=0, hosts=HOSTS)], AT
    )
    worker(orders).beat(["default"], 50, AT)
    forget_old(orders.store, AT + DAY)
    assert len(orders.look("20261122T094107Z-looklook")) == 1
    forget_old(orders.store, AT + DAY + 1)
    assert (orders.look("20261122T094107Z-looklook"), len(orders.look(ORDER))) == ([], 2)
    orders.beat(ORDER, AT + DAY)
    forget_old(orders.store, AT + KEPT + 1)
    assert (len(orders.look(ORDER)), orders.workers()) == (2, [])
    forget_old(orders.store, AT + DAY + KEPT + 1)
    assert orders.look(ORDER) == []


def test_records_are_kept_as_they_are() -> None:
    lines = [b'{"a":"\xc3\xa9"}', b"{}"]
    assert unpacked(packed(lines)) == lines
    with pytest.raises(JournalError, match="cannot be read"):
        unpacked(b"not packed")
