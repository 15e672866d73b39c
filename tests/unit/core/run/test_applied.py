"""A run of a saved plan ends before anything is changed where the host, or a decision, is another than approved."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from tests.lab.scripted import Scripted, at, kinds, states
from tests.lab.small import runbook, snapshot, step
from tests.lab.worlds import Run, follow

from memrunbook.core.errors import Interrupted, Refused, RunbookError, SessionLost
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import Plan
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.core.run.event import Outdated

SHORT, WELL = at(5.0), at(50.0)
BOOK = runbook(step("one"), step("two", values={"unit": "db"}))
TWO = at(5.0, "web", "db")


def planned(**readings: Any) -> Plan:
    return make_plan(BOOK, snapshot(0.0, **(readings or TWO)))


def approved(plan: Plan, **changes: Any) -> ApprovedPlan:
    digests = tuple(one.digest for one in plan.changes)
    return ApprovedPlan(msgspec.structs.replace(plan, **changes), digests)


def applied(allowed: ApprovedPlan, *reads: Any, **world: Any) -> Run:
    return follow(BOOK, Scripted(reads or (TWO, TWO, TWO, TWO, WELL), **world), approved=allowed)


def outdated(played: Run) -> Outdated:
    assert "Execute" not in kinds(played)
    assert played.end.outcome == "refused"
    (event,) = [event for event in played.events if isinstance(event, Outdated)]
    assert played.end.why == event.what
    return event


def test_what_was_approved_is_done() -> None:
    played = applied(approved(planned()))
    assert states(played)[0] == ("one", "done")
    assert not [event for event in played.events if isinstance(event, Outdated)]


@pytest.mark.parametrize("part", ["host_key", "machine_id", "boot_id"])
def test_another_host_is_not_entered(part: str) -> None:
    plan = planned()
    identity = msgspec.structs.replace(plan.identity, **{part: "x"})
    played = applied(approved(plan, identity=identity))
    assert outdated(played).approved.endswith(" x")
    assert kinds(played) == ["ReadFacts"], "the lock is not even asked for"


def test_a_host_that_is_rebooted_at_the_gate_is_left_alone() -> None:
    plan = planned()

    class Rebooted(Scripted):
        def answer(self, request: Any) -> Any:
            told = super().answer(request)
            if self.asked.get("AskApproval") and hasattr(told, "identity"):
                return msgspec.structs.replace(told, identity=msgspec.structs.replace(told.identity, boot_id="next"))
            return told

    played = follow(BOOK, Rebooted((TWO,)), approved=approved(plan))
    assert outdated(played).now == "boot-id next"
    assert kinds(played)[-1] == "Unlock"


def test_another_decision_is_refused_as_a_whole_before_the_lock() -> None:
    other = planned(**at(5.0, "web"))  # the second step was not needed then
    played = applied(approved(other))
    event = outdated(played)
    assert event.what == "step two is not what was approved"
    assert event.approved == "not needed: db holds nothing"
    assert event.now.startswith("Adjust db (db 100, risk low, sha256:")
    assert "Lock" not in kinds(played)
    assert states(played) == [("one", "skipped"), ("two", "skipped")]


def test_another_runbook_is_refused() -> None:
    assert "runbook's file was changed" in outdated(applied(approved(planned(), runbook_digest="e" * 64))).what


def test_a_plan_that_was_carried_out_is_not_carried_out_again() -> None:
    plan = planned()
    digests = tuple(one.digest for one in plan.changes)
    played = applied(ApprovedPlan(plan, digests, lambda: "R1"))
    assert "run R1" in outdated(played).now
    assert "Lock" not in kinds(played)


def test_one_that_another_run_began_meanwhile_gives_the_lock_back() -> None:
    plan = planned()
    digests = tuple(one.digest for one in plan.changes)
    troubles: list[dict[tuple[str, int], RunbookError]] = [{}, {("Unlock", 1): SessionLost("gone")}]
    for trouble in troubles:
        earlier = iter(["", "R1"]).__next__
        played = applied(ApprovedPlan(plan, digests, earlier), trouble=trouble)
        assert "run R1" in outdated(played).now
        assert kinds(played)[-2:] == ["Lock", "Unlock"]


def test_it_is_claimed_once_and_before_the_first_change() -> None:
    plan = planned()
    digests, executed = tuple(one.digest for one in plan.changes), list[int]()
    world = Scripted((TWO, TWO, TWO, TWO, WELL))

    def claim() -> str:
        executed.append(world.asked.get("Execute", 0))
        return ""

    played = follow(BOOK, world, approved=ApprovedPlan(plan, digests, claim=claim))
    assert states(played)[0] == ("one", "done")
    assert kinds(played).count("Execute") == 2
    assert executed == [0], "once, and nothing was carried out before it"


def test_one_that_another_node_claimed_first_changes_nothing_and_gives_the_lock_back() -> None:
    plan = planned()
    digests = tuple(one.digest for one in plan.changes)
    played = applied(ApprovedPlan(plan, digests, claim=lambda: "R1 by ada@other"))
    assert "run R1 by ada@other" in outdated(played).now
    assert kinds(played)[-1] == "Unlock"


def test_what_is_refused_before_its_first_change_claims_nothing() -> None:
    plan, claims = planned(), list[str]()
    digests = tuple(one.digest for one in plan.changes)

    def claim() -> str:
        claims.append("one")
        return ""

    played = applied(ApprovedPlan(plan, digests, claim=claim), trouble={("AskApproval", 1): Refused("no")})
    assert "Execute" not in kinds(played)
    assert claims == []


def test_what_is_not_needed_any_more_is_passed_over() -> None:
    played = applied(approved(planned()), at(5.0, "db"), at(5.0, "db"), at(5.0, "db"), at(5.0, "db"))
    assert states(played)[0] == ("one", "not_needed")
    assert ("two", "done") in states(played)


def test_an_error_of_the_world_ends_it_as_any_run() -> None:
    played = applied(approved(planned()), trouble={("Lock", 1): Interrupted("Ctrl-C")})
    assert played.end.outcome == "interrupted"


def test_one_that_goes_on_is_told_of_another_host_and_ends_nothing() -> None:
    plan, told = planned(), list[str]()
    identity = msgspec.structs.replace(plan.identity, boot_id="before")
    one = approved(plan, identity=identity)
    going_on = ApprovedPlan(
        one.plan, one.digests, lambda: "R1", differs=lambda difference: told.append(difference.what)
    )
    played = applied(going_on)
    assert states(played)[0] == ("one", "done")
    assert set(told) == {"the host was rebooted after the plan was made"}
    assert not [event for event in played.events if isinstance(event, Outdated)]


def test_one_whose_time_is_over_when_its_host_has_its_turn_gives_the_lock_back() -> None:
    plan = planned()

    class Slow(Scripted):
        def answer(self, request: Any) -> Any:
            self.time += 901.0 if type(request).__name__ == "Lock" else 0.0
            return super().answer(request)

    played = follow(BOOK, Slow((TWO,)), approved=approved(plan))
    assert outdated(played).what == "the plan has expired"
    assert kinds(played)[-2:] == ["Lock", "Unlock"]


def test_a_change_that_was_approved_is_made_in_the_plans_time_alone() -> None:
    plan = planned()
    allowed, change = approved(plan), plan.changes[0].change
    assert change is not None
    in_time, late = (Instant(plan.expires_at + seconds, 0.0) for seconds in (-1, 1))
    assert allowed.late(change, in_time) is None
    refused = allowed.late(change, late)
    assert refused is not None
    assert refused.message.startswith("the plan has expired: approved: until ")
    assert "plan again" in refused.hint
    other = msgspec.structs.replace(change, identity="another")
    assert allowed.late(other, late) is None, "that is refused at its gate"
    assert dataclasses.replace(allowed, differs=lambda _: None).late(change, late) is None, "a person is asked"
