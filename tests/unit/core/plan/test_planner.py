"""Planning: each step decided on one snapshot, with the reason where nothing would be done."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab.small import Adjust, Memory, Rigid, Service, Units, runbook, services, snapshot, step
from tests.unit.actions import hosts

from memrunbook.actions.limit_unit import LimitUnit
from memrunbook.core.action.action import Blocked, Change, Risk
from memrunbook.core.action.care import health_of
from memrunbook.core.action.policy import UNLISTED, Care, UnitPolicy
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.plan.plan import PlannedStep, reason, word
from memrunbook.core.plan.planner import (
    again,
    bind_action,
    decide,
    items_of,
    look_up,
    make_plan,
    not_needed,
    plan_items,
    plan_step,
    policy_of,
    proof_of,
)  # fmt: skip
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Step
from memrunbook.core.runbook.spec import VerifySpec
from memrunbook.core.runbook.world import World
from memrunbook.core.units import GIB, MIB, Duration, Size

SHORT = Memory(available_percent=5.0, available_bytes=3 * MIB)
NOW = snapshot(100.0, memory=SHORT, units=services("web", "db", "cron"))
DENIED = Unavailable("denied", "permission denied")


def world(now: Snapshot = NOW) -> World:
    return world_of(runbook(), now)


def decided(one: Step, now: Snapshot = NOW, **how: Any) -> PlannedStep:
    return plan_step(one, ("", None), world(now), **how)


def test_a_plan_says_for_whom_and_how_long_it_is_good() -> None:
    plan = make_plan(runbook(step()), NOW)
    assert (plan.runbook, plan.runbook_digest, plan.host) == ("lab", "d" * 64, "lab")
    assert (plan.identity, plan.taken_at) == (NOW.identity, NOW.taken_at)
    assert plan.expires_at == NOW.taken_at.utc + 900.0


def test_what_stands_behind_the_first_change_is_provisional_and_reading_is_no_change() -> None:
    steps = (step("look", values={"kind": "read"}), step("first"), step("second"), step("idle", when="false"))
    plan = make_plan(runbook(*steps), NOW)
    assert [one.provisional for one in plan.steps] == [False, False, True, True]
    assert [one.id for one in plan.changes] == ["look", "first", "second"]


def test_without_an_incident_nothing_is_needed() -> None:
    plan = make_plan(
        runbook(step("a"), step("b", for_each="units.all")), snapshot(memory=Memory(available_percent=50.0))
    )
    assert [(one.decision, one.item, one.why, one.provisional) for one in plan.steps] == [
        ("not_needed", "", "the incident does not apply", False)
    ] * 2


def test_an_unknown_incident_blocks_what_is_not_harmless() -> None:
    steps = (
        step("look", values={"kind": "read", "risk": 0}),
        step("dear", values={"kind": "read", "risk": 1}),
        step("free", values={"kind": "idempotent", "risk": 0}),
        step("act", values={"kind": "once", "risk": 2}),
        step("idle", when="false"),
    )
    plan = make_plan(runbook(*steps), snapshot(memory=DENIED, units=services("web")))
    assert [one.decision for one in plan.steps] == ["change", "blocked", "blocked", "blocked", "not_needed"]
    assert plan.steps[1].why == "it is unknown whether the incident applies"
    assert plan.steps[1].hint == "see the unknown checks above"


def test_planning_is_a_pure_function() -> None:
    book = runbook(step("a"), step("b", for_each="units.all", limit=2, values={"unit": "= item.name"}))
    assert make_plan(book, NOW) == make_plan(book, NOW)


def test_each_item_is_a_step_of_its_own() -> None:
    one = step(for_each="units.all", limit=2, values={"unit": "= item.name"})
    planned = list(plan_items(one, world()))
    assert [(each.item, each.label, each.change and each.change.target) for each in planned] == [
        ("web", "act/web", "web"),
        ("db", "act/db", "db"),
    ]


def test_items_that_are_none_or_unknown() -> None:
    (none,) = plan_items(step(for_each="units.growing"), world())
    assert (none.decision, none.item, none.why) == (
        "not_needed",
        "",
        "no growing service: 3 services seen, the largest, web, holds 1.0 MiB",
    )
    (unknown,) = plan_items(step(for_each="units.all"), world(snapshot(units=DENIED)), uncertain=True)
    assert (unknown.decision, unknown.item) == ("blocked", "")
    assert unknown.why == "its items are unknown: units.all: permission denied"


def test_an_uncertain_world_blocks_each_item() -> None:
    one = step(for_each="units.all", limit=2, values={"unit": "= item.name"})
    assert {each.decision for each in plan_items(one, world(), uncertain=True)} == {"blocked"}


def test_items_are_known_by_their_key_the_first_of_each() -> None:
    two = Units(all=(Service(name="web", bytes=9), Service(name="web", bytes=1), Service(name="db")))
    here = world(snapshot(memory=SHORT, units=two))
    found = items_of(step(for_each="units.all"), here, limit=2)
    assert isinstance(found, list)
    assert [(key, item and item["bytes"]) for key, item in found] == [("web", 9), ("db", MIB)]
    by_pid = items_of(step(for_each="units.all", key="item.main_pid"), here)
    assert isinstance(by_pid, list)
    assert [key for key, _ in by_pid] == ["100"]


def test_a_step_without_for_each_has_one_item_without_a_name() -> None:
    assert items_of(step(), world()) == [("", None)]


def test_a_key_that_is_unknown_makes_the_items_unknown() -> None:
    found = items_of(step(for_each="units.all", key="item.bytes / 0"), world())
    assert isinstance(found, Unavailable)


def test_an_item_is_looked_up_among_all_although_others_outgrew_it() -> None:
    one = step(for_each="units.all", limit=1, values={"unit": "= item.name"})
    assert again(one, ("cron", None), world()).change
    gone = again(one, ("mail", None), world())
    assert (gone.decision, gone.why, gone.item) == ("not_needed", "mail no longer matches", "mail")
    unknown = look_up(one, "web", world(snapshot(units=DENIED)))
    assert isinstance(unknown, PlannedStep)
    assert (unknown.decision, unknown.item) == ("blocked", "web")
    assert unknown.why == "its items are unknown: units.all: permission denied"


def test_again_decides_on_the_item_as_it_is_now() -> None:
    one = step(for_each="units.all", when="item.bytes > 100", values={"unit": "= item.name"})
    small = world(snapshot(memory=SHORT, units=services("web", bytes=5)))
    assert again(one, ("web", {"name": "web", "bytes": 500}), small).decision == "not_needed"
    assert again(one, ("web", None), world(), uncertain=True).decision == "blocked"
    other = Adjust(unit="db")
    carried = again(one, ("web", None), world(), carried=other).change
    assert carried is not None
    assert carried.target == "db"


@pytest.mark.parametrize(
    ("parts", "decision", "why", "hint"),
    [
        (
            {"when": "memory.available_percent > 10.0"},
            "not_needed",
            "not wanted: memory.available_percent is 5.0 %",
            "",
        ),
        (
            {"when": "pressure.full.percent > 1.0"},
            "blocked",
            "it is unknown whether it is wanted: pressure.full.percent: this fact was not read",
            "",
        ),
        ({"guard": "memory.available_percent > 10.0"}, "blocked", "guard: a guard", "memory.available_percent > 10.0"),
        (
            {"guard": "pressure.full.percent > 1.0"},
            "blocked",
            "guard: a guard (unknown: pressure.full.percent: this fact was not read)",
            "it runs when pressure.full.percent > 1.0",
        ),
        ({"when": "true", "guard": "true"}, "change", "", ""),
        ({"values": {"unit": "mail"}}, "not_needed", "mail holds nothing", ""),
    ],
)
def test_conditions_decide_before_the_action(parts: dict[str, Any], decision: str, why: str, hint: str) -> None:
    planned = decided(step(**parts))
    assert (planned.decision, planned.why) == (decision, why)
    assert hint in planned.hint
    assert (planned.change is not None) == (decision == "change")


def test_an_action_that_blocks_says_why() -> None:
    planned = decided(step(), snapshot(memory=SHORT, units=DENIED))
    assert (planned.decision, planned.why, planned.digest) == ("blocked", "units: permission denied", "")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"goal": "512 MiB"}, Adjust(goal=Size(512 * MIB))),
        ({"goal": "= memory.available_bytes"}, Adjust(goal=Size(3 * MIB))),
        ({"goal": "= memory.available_percent"}, Adjust(goal=Size(5))),
        ({"note": "= memory.available_percent"}, Adjust(note=Duration(5.0))),
        ({"note": "= memory.available_bytes"}, Adjust(note=Duration(3 * MIB))),
        ({"risk": "= 1 + 1"}, Adjust(risk=2)),
        ({"unit": '= "d" + "b"'}, Adjust(unit="db")),
        ({"settle": "= parameters.least"}, Adjust(settle=10.0)),
    ],
)
def test_values_are_literal_or_computed(values: dict[str, Any], expected: Adjust) -> None:
    assert bind_action(step(values=values), world().at(parameters={"least": 10.0})) == expected


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"goal": "= before.memory.available_bytes"}, "goal is unknown: before.memory.available_bytes: memory"),
        ({"goal": 5}, "its parameters do not fit: 5 is a size without a unit"),
        ({"goal": "= 1.0 / 0.0"}, "its parameters do not fit"),
        ({"goal": "= true"}, "its parameters do not fit"),
        ({"goal": '= "x"'}, "its parameters do not fit: 'x' is no size"),
        ({"risk": "= 1.5"}, "its parameters do not fit: Expected `int`, got `float`"),
    ],
)
def test_values_that_do_not_fit_block(values: dict[str, Any], why: str) -> None:
    bound = bind_action(step(values=values), world())
    assert isinstance(bound, Blocked)
    assert bound.why.startswith(why)


def test_a_computed_size_fits_a_plain_field_too() -> None:
    values = {"size": "= memory.available_bytes", "count": "= 2"}
    assert bind_action(step(action="rigid", values=values), world()) == Rigid(size=Size(3 * MIB), count=2)


def test_a_blocked_action_blocks_the_step() -> None:
    assert decided(step(values={"goal": 5})).decision == "blocked"


@pytest.mark.parametrize(
    ("permission", "decision", "risk"),
    [("yes", "change", Risk.LOW), ("no", "blocked", None), ("unlisted", "change", Risk.HIGH)],
)
def test_what_a_rule_chooses_is_subject_to_the_service_policy(
    permission: str, decision: str, risk: Risk | None
) -> None:
    now = snapshot(memory=SHORT, units=services("web", policy=UnitPolicy(restart=permission)))
    chosen = decided(step(for_each="units.all"), now)
    assert chosen.decision == decision
    assert (chosen.change.risk if chosen.change else None) == risk
    assert decision != "blocked" or chosen.why == "services.yaml says restart: no for web"
    named = decided(step(values={"unit": "web"}), now)
    assert named.change is not None
    assert named.change.risk is Risk.LOW


def test_a_rule_never_chooses_a_database() -> None:
    now = snapshot(memory=SHORT, units=services("postgresql.service", policy=UnitPolicy(restart="yes")))
    chosen = decided(step(values={"unit": '= "postgresql" + ".service"'}), now)
    assert chosen.why.startswith("postgresql.service is never chosen by a rule")
    assert chosen.hint == "name it in a runbook of your own, or act by hand"
    assert decided(step(values={"unit": "postgresql.service"}), now).change


def test_what_services_yaml_forbids_is_a_refusal() -> None:
    forbidden = snapshot(memory=SHORT, units=services("web", policy=UnitPolicy(restart="no")))
    assert decided(step(for_each="units.all"), forbidden).rule
    base = snapshot(memory=SHORT, units=services("web", policy=UnitPolicy(kind="database", restart="yes")))
    assert decided(step(for_each="units.all"), base).rule
    assert decided(step(values={"unit": "web"}), base).change, "a runbook that names it may"
    assert not decided(step(values={"goal": 5})).rule


def test_what_services_yaml_asks_for_around_a_change_is_part_of_it() -> None:
    care = Care(health=("curl", "-f"), max_parallel=2)
    now = snapshot(memory=SHORT, units=services("web", policy=UnitPolicy(restart="yes", care=care)))
    named = decided(step(values={"unit": "web"}), now).change
    assert named is not None
    assert named.care == Care(max_parallel=2), "this action says of no service how it leaves it"
    plain = decided(step(values={"unit": "web"}), snapshot(memory=SHORT, units=services("web"))).change
    assert plain is not None
    assert (plain.care, plain.digest == named.digest) == (None, False)


def test_no_health_is_asked_of_a_service_that_is_down_and_stays_so() -> None:
    policy = UnitPolicy(care=Care(health=("curl", "-f")))
    down = msgspec.structs.replace(hosts.FAILED, policy=policy, memory_max_bytes=GIB)
    there = hosts.host({"units.all": [msgspec.structs.replace(hosts.API, policy=policy), down]})
    raised = decide(LimitUnit(unit=down.name, memory_max=Size(2 * GIB)), there)
    lowered = decide(LimitUnit(unit=hosts.API.name, memory_max=Size(32 * GIB)), there)
    assert isinstance(raised, Change)
    assert isinstance(lowered, Change)
    assert (health_of(raised) is None, health_of(lowered) is None) == (True, False)


def test_a_rule_of_safety_refuses_a_change_and_not_what_is_not_needed() -> None:
    cluster = snapshot(memory=SHORT, units=services("web", policy=UnitPolicy(kind="cluster")))
    refused = decided(step(values={"unit": "web"}), cluster)
    assert (refused.decision, refused.rule) == ("blocked", True)
    assert "belongs to a cluster" in refused.why
    assert (
        decided(step(values={"unit": "web"}, when="memory.available_percent > 90.0"), cluster).decision == "not_needed"
    )


def test_an_action_without_a_policy_is_free() -> None:
    one = step(action="rigid", values={"size": "= memory.available_bytes"})
    assert not one.chosen_by_rule, "an expression says how much, not what"
    assert decided(one).change


def test_what_chooses_is_a_rule_where_an_expression_names_it() -> None:
    assert step(for_each="units.all").chosen_by_rule
    assert step(values={"unit": "= target"}).chosen_by_rule
    assert not step(values={"unit": "web"}).chosen_by_rule


def test_the_policy_of_a_unit() -> None:
    mine = UnitPolicy(restart="yes")
    now = snapshot(units=Units(all=(Service(name="web", policy=mine), Service(name="db"))))
    assert policy_of("web", now) == mine
    assert policy_of("mail", now) == UNLISTED
    assert policy_of("web", snapshot()) == UNLISTED


def test_the_proof_is_the_runbooks_own_else_the_actions() -> None:
    spec = VerifySpec("memory.available_percent > 10.0", Duration(40), Duration(20))
    planned = decided(step(verify=spec, values={"proven": "checks.short"}))
    assert (planned.verify, planned.within, planned.hold) == ("memory.available_percent > 10.0", 40.0, 20.0)
    planned = decided(step(values={"proven": "checks.short"}))
    assert (planned.verify, planned.within, planned.hold) == ("checks.short", 30.0, 0.0)
    bare = step(values={"proven": ""})
    planned = decided(bare)
    assert (planned.verify, planned.within, planned.hold) == ("", 0.0, 0.0)
    assert planned.change is not None
    assert proof_of(bare, planned.change) is None


@pytest.mark.parametrize(
    ("risk", "confirm", "gate"), [(0, "auto", False), (0, "always", True), (1, "auto", True), (3, "auto", True)]
)
def test_a_gate_stands_before_every_risk_and_where_it_is_wanted(risk: int, confirm: str, gate: bool) -> None:  # noqa: FBT001
    assert decided(step(values={"risk": risk}, confirm=confirm)).gate is gate


def test_what_does_nothing_needs_no_gate() -> None:
    assert not decided(step(when="false", confirm="always")).gate


def test_a_decision_has_a_word_and_a_reason() -> None:
    planned = decided(step())
    assert isinstance(planned.change, Change)
    assert (word(planned.change), reason(planned.change)) == ("change", ("", ""))
    assert (word(Blocked("x", "y")), reason(Blocked("x", "y"))) == ("blocked", ("x", "y"))
    gone = not_needed(step(), "web", "gone")
    assert (gone.id, gone.name, gone.action, gone.item, gone.why) == ("act", "Act", "adjust", "web", "gone")
    assert planned.digest == planned.change.digest


def test_a_step_reads_what_it_names() -> None:
    verify = VerifySpec("vmstat.available_percent > 1.0")
    one = step(
        when="pressure.supported", guard="memory.supported", for_each="[1]", key="host.available_bytes", verify=verify
    )
    assert one.facts == {"units", "pressure", "memory", "host", "vmstat"}
    assert step(action="rigid", values={"size": "= memory.available_bytes"}).facts == {"memory"}
    assert step().facts == {"units"}
