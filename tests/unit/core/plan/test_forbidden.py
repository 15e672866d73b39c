"""What config.yaml forbids is not done, by whatever name the change reaches it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from tests.lab.small import Memory, runbook, services, snapshot, step

from memrunbook.core.action.action import IN_ARGUMENTS, Change, Repeat, Risk
from memrunbook.core.plan.forbidden import NOBODY, forbidden
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.rules import HostRules, RiskLimit, TargetKind, Untouchable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import MIB


def listed(kind: TargetKind, pattern: str, why: str = "") -> HostRules:
    return HostRules((Untouchable(kind=kind, pattern=pattern, where="config.yaml:4", why=why),))


def up_to(risk: RiskLimit) -> HostRules:
    return HostRules((), risk, f"config.yaml:9 says that run goes up to risk {risk} here", "act by hand")


def change(risk: Risk = Risk.MEDIUM, repeat: Repeat = Repeat.ONCE, **more: Any) -> Change:
    said = {"action": "restart_unit", "summary": "Restart", "target": "web.service", "script": ":", **more}
    return Change(risk=risk, repeat=repeat, **said)


def seeing(processes: object) -> Snapshot:
    return cast("Snapshot", SimpleNamespace(value=lambda _: processes))


@pytest.mark.parametrize(
    ("rules", "made", "what"),
    [
        (listed("unit", "ledger*"), change(touches="ledger-7.service"), "unit ledger-7.service"),
        (listed("unit", "ledger*"), change(touches="db.service", acts_on=("unit:ledger.service",)), "ledger.service"),
        (listed("process", "java-*"), change(acts_on=("process:java-7", "unit:")), "process java-7"),
        (listed("container", "vault"), change(acts_on=("container:vault",)), "container vault"),
        (
            listed("unit", "ledger.service"),
            change(acts_on=(IN_ARGUMENTS,), args=("sh", "-c", "systemctl stop 'ledger'; true")),
            "ledger, which the command names",
        ),
        (listed("host", "db-*"), change(), "this host"),
    ],
)
def test_a_listed_target_is_told_with_its_line(rules: HostRules, made: Change, what: str) -> None:
    blocked = forbidden(made, rules)
    assert blocked is not None
    assert blocked.why.startswith("config.yaml:4 says that nothing may ever act on ")
    assert what in blocked.why
    assert (blocked.hint, blocked.rule) == (NOBODY, True)
    assert blocked.why.startswith("config.yaml:4")


@pytest.mark.parametrize(
    "made",
    [
        change(touches="web.service"),
        change(acts_on=("unit:", "process:ledger")),
        change(args=("ledger.service",)),  # only a command line names what it acts on in its arguments
        change(risk=Risk.NONE, repeat=Repeat.READ, touches="ledger.service"),
    ],
)
def test_anything_else_is_not_forbidden(made: Change) -> None:
    assert forbidden(made, listed("unit", "ledger*")) is None


def test_a_look_that_asks_is_no_way_around_it() -> None:
    look = change(risk=Risk.LOW, repeat=Repeat.READ, acts_on=(IN_ARGUMENTS,), args=("ledger",))
    assert forbidden(look, listed("unit", "ledger.service", why="the books")) is not None


def test_what_runs_in_the_unit_counts_as_far_as_it_was_read() -> None:
    rules, made = listed("process", "ledgerd"), change(touches="batch.service")
    inside = [SimpleNamespace(unit="batch.service", name="ledgerd"), SimpleNamespace(unit="x.service", name="cron")]
    found = forbidden(made, rules, seeing(inside))
    assert found is not None
    assert "process ledgerd" in found.why
    assert forbidden(made, rules, seeing(inside[1:])) is None
    assert forbidden(made, rules, seeing(Unavailable("denied", "no"))) is None
    assert forbidden(made, rules) is None


@pytest.mark.parametrize(("risk", "wanted"), [("none", True), ("low", True), ("medium", False), ("high", False)])
def test_nothing_above_the_highest_risk_is_done(risk: RiskLimit, wanted: bool) -> None:  # noqa: FBT001
    found = forbidden(change(), up_to(risk))
    assert (found is not None) is wanted
    if found is not None:
        assert found.why == f"config.yaml:9 says that run goes up to risk {risk} here: this is of risk medium"
        assert (found.hint, found.rule) == ("act by hand", True)
        assert found.why.startswith("config.yaml:9")


def test_a_plan_says_so_of_each_step_and_goes_on() -> None:
    short = Memory(available_percent=5.0, available_bytes=3 * MIB)
    now = msgspec.structs.replace(snapshot(100.0, memory=short, units=services("web")), rules=up_to("none"))
    plan = make_plan(runbook(step("look", values={"kind": "read", "risk": 0}), step("act")), now)
    assert [(one.decision, one.rule) for one in plan.steps] == [("change", False), ("blocked", True)]
