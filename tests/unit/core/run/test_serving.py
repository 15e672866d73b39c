"""A service that serves is proven by its own health; one that does not is failed, and stays out of service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from tests.lab import small
from tests.lab.scripted import Scripted, at, kinds, only
from tests.lab.small import runbook, step
from tests.lab.worlds import Run, follow

from memrunbook.core.action.action import Leaves
from memrunbook.core.action.policy import Care, UnitPolicy
from memrunbook.core.errors import OutOfDate, RunbookError
from memrunbook.core.run.request import Done, Execute, Failed, Request, Turn, Wait
from memrunbook.core.runbook.spec import VerifySpec
from memrunbook.core.units import Duration

CARE = Care(health=("curl", "-f"), health_within=12.0, drain=("lb", "out"), undrain=("lb", "in"))
VERIFY = VerifySpec("memory.available_percent > 30.0", Duration(30), Duration(0))


class Renewer(small.Adjust, frozen=True, kw_only=True):
    """An adjustment that ends one run of a service and begins another."""

    leaves: ClassVar[Leaves] = "anew"


class Host(Scripted):
    """Its health is what the test says, look by look; so is its way back."""

    def __init__(self, *healthy: bool, care: Care = CARE, returns: bool = True) -> None:
        policy = UnitPolicy(restart="yes", care=care)
        self.healthy, self.returns = list(healthy), returns
        units = small.Units(all=(small.Service(name="web", policy=policy),))
        super().__init__([{**at(5.0), "units": units}, {**at(5.0), "units": units}, {**at(50.0), "units": units}])

    def answer(self, request: Request) -> Any:
        if not isinstance(request, Execute) or request.change.summary.startswith("Adjust"):
            return super().answer(request)
        now = self._next(request)
        health = request.change.summary.startswith("Health")
        good = self.healthy.pop(0) if health and len(self.healthy) > 1 else self.healthy[0] if health else self.returns
        return Done(now) if good else Failed(now, "exit status 1", "HTTP 503\nexit status 22\n")


def played(host: Host, **values: Any) -> Run:
    one = step(verify=VERIFY, values={"kind": "once", "risk": 2, **values})
    return follow(runbook(replace(one, action=Renewer), resolved="false"), host)


def commands(run: Run) -> list[str]:
    return [told.request.change.summary for told in run.told if isinstance(told.request, Execute)]


def test_done_means_that_its_health_held_and_that_it_is_back_in_service() -> None:
    run = played(Host(True))
    assert commands(run) == ["Adjust web", "Health of web: curl -f", "Put web back into service: lb in"]
    assert (only(run).state, only(run).why) == (
        "done",
        "drained: lb out; its health held: curl -f; put back into service: lb in",
    )


def test_health_is_waited_for_until_its_deadline() -> None:
    run = played(Host(False, False, True))
    assert commands(run).count("Health of web: curl -f") == 3
    assert [told.request.seconds for told in run.told if isinstance(told.request, Wait)][:2] == [5.0, 5.0]
    assert only(run).state == "done"


def test_a_service_that_is_active_and_not_well_is_not_done() -> None:
    run = played(Host(False))
    assert only(run).state == "failed"
    assert only(run).why == (
        "its health did not hold within 12 s: curl -f: HTTP 503; exit status 22; "
        "it stays out of service until somebody puts it back: lb in"
    )
    assert "Put web back into service: lb in" not in commands(run)
    assert only(run).left


def test_without_a_way_back_only_its_health_is_told() -> None:
    run = played(Host(False, care=Care(health=("curl", "-f"), health_within=1.0)))
    assert only(run).why.endswith("curl -f: HTTP 503; exit status 22")


def test_a_way_back_that_fails_is_no_success() -> None:
    run = played(Host(True, returns=False))
    assert only(run).state == "failed"
    assert only(run).why == "it runs, and may still be out of service: lb in: HTTP 503; exit status 22"


def test_a_drain_without_health_is_told_as_done() -> None:
    run = played(Host(True, care=Care(drain=("lb", "out"), undrain=("lb", "in"))))
    assert (only(run).state, only(run).why) == ("done", "drained: lb out; put back into service: lb in")


@pytest.mark.parametrize(("risk", "turns"), [(1, 0), (2, 1), (3, 1)])
def test_what_users_may_notice_waits_for_its_turn(risk: int, turns: int) -> None:
    run = played(Host(True), risk=risk)
    assert sum(isinstance(told.request, Turn) for told in run.told) == turns


class Queue(Host):
    """A host whose turn comes after five minutes; meanwhile it has moved on to the last of its readings."""

    def __init__(self, then: Any) -> None:
        super().__init__(True)
        self.reads = [*self.reads[:2], then]

    def answer(self, request: Request) -> Any:
        self.time += 300.0 if isinstance(request, Turn) else 0.0
        return super().answer(request)


def units(**changes: Any) -> dict[str, Any]:
    return {"units": small.Units(all=(small.Service(name="web", **{"policy": UnitPolicy(restart="yes"), **changes}),))}


@pytest.mark.parametrize(
    ("then", "state", "why"),
    [
        ({**at(50.0), **units()}, "not_needed", "it recovered meanwhile"),
        ({**at(5.0), **units(main_pid=7)}, "refused", "the host moved on while this waited for its turn"),
        ({**at(5.0), **units(bytes=0)}, "not_needed", "web holds nothing"),
    ],
)
def test_whoever_had_to_wait_reads_again_and_does_only_what_was_approved(then: Any, state: str, why: str) -> None:
    run = played(Queue(then))
    assert (only(run).state, why in only(run).why) == (state, True), only(run).why
    assert commands(run) == []


def test_who_waited_goes_on_where_nothing_has_changed() -> None:
    host = Queue(None)
    host.reads = host.reads[:2]
    assert commands(played(host))[0] == "Adjust web"


class Stopper(small.Adjust, frozen=True, kw_only=True):
    """An adjustment that takes a service down."""

    leaves: ClassVar[Leaves] = "down"


def test_what_is_taken_down_stays_out_of_service_and_that_is_told() -> None:
    one = step(verify=VERIFY, values={"kind": "idempotent", "risk": 2, "undo": "offer"})
    run = follow(runbook(replace(one, action=Stopper), resolved="false"), Host(True))
    assert commands(run) == ["Adjust web"]
    assert only(run).why == "drained: lb out; out of service until this is taken back by: lb in"


class Away(Host):
    """The store did not answer for a minute right before the effect: what was read is out of date by then."""

    def __init__(self, then: Any = None) -> None:
        super().__init__(True)
        self.reads = [*self.reads[:2], then or self.reads[1], self.reads[2]]

    def error(self, request: Request) -> RunbookError | None:
        super().error(request)
        if not isinstance(request, Execute) or self.asked["Execute"] > 1:
            return None
        self.time += 60.0
        return OutOfDate()


@pytest.mark.parametrize("risk", [1, 2])
def test_what_is_out_of_date_right_before_the_effect_is_read_again(risk: int) -> None:
    run = played(Away({**at(50.0), **units()}), risk=risk)
    assert (only(run).state, "it recovered meanwhile" in only(run).why) == ("not_needed", True), only(run).why
    assert kinds(run)[-4:] == ["Execute", "Turn", "ReadFacts", "Unlock"]
    still = played(Away(), risk=risk)
    asked = kinds(still)
    first = asked.index("Execute")
    assert asked[first : first + 4] == ["Execute", "Turn", "ReadFacts", "Execute"]
    assert commands(still).count("Adjust web") == 2
    assert only(still).state == "done"
