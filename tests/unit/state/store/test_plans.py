"""Plans that several control nodes share: byte for byte, replaced as on one node, carried out once; on both stores."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs
from tests.unit.state.store.test_store import Opened, opened

from memrunbook.core.errors import Refused
from memrunbook.core.units import DAY
from memrunbook.state.store import plans
from memrunbook.state.store.changes import Store
from memrunbook.state.store.node_tables import PLANS
from memrunbook.state.store.plans import PlanClaim, SharedPlan

NOW = 1.8e9
__all__ = ["opened"]
CONTENT = b"{\x00\xff\n}"


def plan(content: bytes = CONTENT, **changes: Any) -> SharedPlan:
    found = SharedPlan(
        digest=plans.sha256(content), kept_as="night", host="db7", machine="m1", runbook="leak", node="a", at=NOW,
        until=NOW + DAY,
    )  # fmt: skip
    return structs.replace(found, **changes)


def kept(store: Store, content: bytes, **changes: Any) -> str:
    shared = plan(content, **changes)
    plans.publish(store, shared, content)
    return shared.digest


def waiting(store: Store) -> set[str]:
    return {one.digest for one in plans.shared(store, NOW) if not one.withdrawn}


def claim(run: str, host: str = "db7", **changes: Any) -> PlanClaim:
    found = PlanClaim(digest="d", host=host, run=run, actor=f"{run}@node", at=NOW, until=NOW + DAY)
    return structs.replace(found, **changes)


def test_a_plan_comes_out_as_it_went_in(opened: Opened) -> None:
    digest = kept(opened(), CONTENT)
    kept(opened(), CONTENT, node="b")
    assert plans.shared(opened(), NOW) == [plan(size=len(CONTENT))], "whoever comes second changes nothing"
    assert plans.content_of(opened(), digest) == CONTENT
    assert plans.shared(opened(), NOW + 2 * DAY) == []


def test_bytes_of_another_digest_neither_go_in_nor_come_out(opened: Opened) -> None:
    store = opened()
    with pytest.raises(Refused, match="is not what it was"):
        plans.publish(store, plan(), b"others")
    digest = kept(store, CONTENT)
    with store.engine.begin() as connection:
        connection.execute(sa.update(PLANS).values(content=b"others"))
    with pytest.raises(Refused, match="is not what it was"):
        plans.content_of(store, digest)
    with pytest.raises(Refused):
        plans.content_of(store, "none")


def test_a_newer_one_replaces_what_was_kept_so_for_the_same_machine_and_was_not_approved(opened: Opened) -> None:
    store = opened()
    first = kept(store, b"1")
    others = {
        kept(store, b"2", host="db8"), kept(store, b"3", machine="m2"), kept(store, b"4", kept_as="day"),
        kept(store, b"5", kept_as=""), kept(store, b"6", at=NOW + 9),
    }  # fmt: skip
    assert waiting(store) == {*others}, "b'6' replaced the first"
    kept(store, b"5b", kept_as="")
    approved = kept(store, b"7", at=NOW + 10)
    plans.approve(store, approved, b"{}", NOW)
    declined = kept(store, b"8", at=NOW + 11)
    plans.decline(store, declined, b"{}")
    newest = kept(store, b"9", at=NOW + 12)
    old = kept(store, b"10", at=NOW)
    assert waiting(store) >= {approved, declined, newest, old}
    assert plans.sha256(b"6") not in waiting(store)
    [gone] = [one for one in plans.shared(store, NOW) if one.digest == first]
    assert (gone.withdrawn, gone.size) == (True, 0)


def test_one_whose_machine_is_not_known_replaces_and_is_replaced(opened: Opened) -> None:
    store = opened()
    kept(store, b"1", machine="")
    known = kept(store, b"2", at=NOW + 1)
    assert waiting(store) == {known}
    unknown = kept(store, b"3", machine="", at=NOW + 2)
    assert waiting(store) == {unknown}


def test_approvals_are_there_once_and_of_their_plan(opened: Opened) -> None:
    store, line = opened(), '{"principal":"adä"}'.encode()
    digest = kept(store, CONTENT)
    plans.approve(store, digest, line, NOW)
    plans.approve(store, digest, line, NOW + 1)
    plans.approve(store, digest, b"x" * (plans.LONGEST_LINE + 1), NOW)
    plans.approve(store, "of none", line, NOW)
    assert plans.approvals(store, NOW) == {digest: {plans.sha256(line): line}}
    assert plans.approvals(store, NOW + 2 * DAY) == {}


def test_the_first_who_says_no_is_kept(opened: Opened) -> None:
    store = opened()
    digest = kept(store, CONTENT)
    plans.decline(store, digest, b"ada")
    plans.decline(store, digest, b"bob")
    assert [one.declined for one in plans.shared(store, NOW)] == ["ada"]


def test_a_plan_is_claimed_once_a_host_and_its_run_may_ask_again(opened: Opened) -> None:
    store = opened()
    assert plans.claimed(store, "d", "db7") is None
    assert plans.claim(store, claim("R1")) is None
    assert plans.claim(store, claim("R1", at=NOW + 5)) is None
    assert plans.claim(opened(), claim("R2")) == claim("R1") == plans.claimed(store, "d", "db7")
    assert plans.claim(store, claim("R2", "db8")) is None
    assert {one.host for one in plans.claims(store, NOW)} == {"db7", "db8"}
    assert plans.claims(store, NOW + 2 * DAY) == []


def test_of_many_that_come_at_once_one_has_it(opened: Opened) -> None:
    stores, together, answers = [opened() for _ in range(8)], threading.Barrier(8), dict[int, PlanClaim | None]()

    def one(number: int) -> None:
        together.wait(30)
        answers[number] = plans.claim(stores[number], claim(f"R{number}"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    [first] = [number for number, answer in answers.items() if answer is None]
    assert [answer.run for answer in answers.values() if answer is not None] == [f"R{first}"] * 7


def test_what_nobody_can_apply_any_more_is_forgotten_with_all_that_belongs_to_it(opened: Opened) -> None:
    store = opened()
    stays, goes = kept(store, b"1", kept_as=""), kept(store, b"2", kept_as="", until=NOW - 1)
    for digest, until in ((stays, NOW + DAY), (goes, NOW - 1)):
        plans.approve(store, digest, b"{}", NOW)
        plans.claim(store, claim("R1", digest=digest, until=until))
    plans.forget(store, NOW)
    assert [one.digest for one in plans.shared(store, 0)] == [stays]
    assert list(plans.approvals(store, 0)) == [stays]
    assert [one.digest for one in plans.claims(store, 0)] == [stays]
