"""Conditions: three-valued, checked when they are loaded, with evidence for every metric they name."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.small import METRICS, MIB, Memory, Pressure, Service, Units, services, snapshot

from memrunbook import catalog
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.runbook.condition import Condition, ConditionError, Evidence, Expression, Scope
from memrunbook.core.runbook.refusal import explained
from memrunbook.core.runbook.world import World

SCOPE = Scope(METRICS, {"least": "double"}, ("short",), METRICS["units.all"], step=True)
NEAR = "did you mean 'memory.available_bytes'?"
FIELDS = (
    "there are: bytes, failed, main_pid, name, policy.care.drain, policy.care.drain_within, policy.care.health, "
    "policy.care.health_within, policy.care.max_parallel, policy.care.peers, policy.care.undrain, policy.freeze, "
    "policy.in_window, policy.kind, policy.limit, policy.memory_high_bytes, policy.memory_max_bytes, policy.restart, "
    "policy.stop, policy.swap_max_bytes, policy.window, policy.window_opens_seconds"
)
DENIED = Unavailable("denied", "permission denied")
ABSENT = Unavailable("absent", "no such file")
KNOWN = Memory(available_percent=5.0, available_bytes=3 * MIB, zones=[0.5, 1.0])


def world(**readings: Any) -> World:
    now = snapshot(**{"memory": KNOWN, "units": services("web", "db"), **readings})
    return World(now, METRICS, {"least": 10.0}, {"short": True}, item={"name": "web", "bytes": 5}, target="web")


def expression(source: str) -> Expression:
    return SCOPE.compile(source, boolean=False)


def state(source: str, where: World | None = None) -> str:
    return Condition((SCOPE.compile(source, boolean=True),)).evaluate(where or world()).state


def refusal(source: str, *, boolean: bool = True) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        SCOPE.compile(source, boolean=boolean)
    return caught.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("memory.available_percent < 10.0", "holds"),
        ("memory.available_percent < parameters.least", "holds"),
        ("memory.available_percent > 10.0", "fails"),
        ("memory.available_bytes >= 3 * MiB", "holds"),
        ("memory.available_bytes >= 1 * GiB || memory.available_bytes < 1 * KiB", "fails"),
        ("pressure.full.percent > 1.0", "unknown"),
        ("false && pressure.full.percent > 1.0", "fails"),
        ("pressure.full.percent > 1.0 && memory.available_percent > 10.0", "fails"),
        ("true || pressure.full.percent > 1.0", "holds"),
        ("pressure.full.percent > 1.0 || memory.available_percent < 10.0", "holds"),
        ("pressure.full.percent > 1.0 || memory.available_percent > 10.0", "unknown"),
        ("!(pressure.full.percent > 1.0)", "unknown"),
        ("checks.short", "holds"),
        ("!checks.short", "fails"),
        ("size(units.all) == 2", "holds"),
        ("size(units.growing) == 0", "holds"),
        ("memory.zones.exists(z, z > 0.9)", "holds"),
        ('units.all.exists(u, u.name == "web")', "holds"),
        ('units.all.exists(u, u.name == "units.all")', "fails"),
        ("units.all.exists(u, u.name == target)", "holds"),
        ("units.all.exists(u, u.name == item.name && u.bytes > item.bytes)", "holds"),
        ('item.name.startsWith("w") && item.name in ["web"]', "holds"),
        ("memory.available_bytes / 0 > 1", "unknown"),
    ],
)
def test_a_condition_holds_fails_or_is_unknown(source: str, expected: str) -> None:
    assert state(source) == expected


def test_only_what_a_host_does_not_offer_is_asked_away() -> None:
    source = "pressure.supported ? pressure.full.percent > 50.0 : memory.available_percent < 10.0"
    assert state(source, world(pressure=ABSENT)) == "holds"
    assert state(source, world(pressure=DENIED)) == "unknown"
    assert state(source, world(pressure=Pressure())) == "unknown"
    assert state("!pressure.supported", world(pressure=DENIED)) == "unknown"


def test_before_is_the_snapshot_from_when_the_step_began() -> None:
    earlier = snapshot(memory=Memory(available_bytes=MIB), units=services())
    grew = "memory.available_bytes > before.memory.available_bytes && size(before.units.all) == 0"
    assert state(grew, world().at(before=earlier)) == "holds"
    assert state(grew) == "unknown"
    assert expression("before.memory.available_bytes").facts == {"memory"}


def test_a_field_that_could_not_be_had_is_unknown_and_never_a_value() -> None:
    some = Units(all=(Service(name="web", bytes=None), Service(name="db", bytes=7)))
    assert state("units.all.exists(u, u.bytes > 5)", world(units=some)) == "holds"
    assert state("units.all.exists(u, u.bytes > 9)", world(units=some)) == "unknown"
    assert state("units.all.all(u, u.bytes != 3)", world(units=some)) == "unknown"


def test_all_parts_must_hold_and_a_failing_one_decides() -> None:
    def both(*sources: str) -> Condition:
        return Condition(tuple(SCOPE.compile(source, boolean=True) for source in sources))

    low, psi = "memory.available_percent < 10.0", "pressure.full.percent > 1.0"
    assert both(low, "true").evaluate(world()).holds
    assert both(psi, "false").evaluate(world()).state == "fails"
    verdict = both(low, psi, "checks.short").evaluate(world(pressure=DENIED))
    assert (verdict.state, verdict.why) == ("unknown", "pressure.full.percent: permission denied")
    assert both(low, psi).source == f"({low}) && ({psi})"
    assert both(low).source == low
    assert both(low, psi).facts == {"memory", "pressure"}
    assert both(low, "checks.short").uses_checks
    assert not both(low, psi).uses_checks


def test_a_value_that_is_neither_true_nor_false_is_unknown() -> None:
    verdict = Condition((expression("item.bytes"),)).evaluate(world())
    assert (verdict.state, verdict.why) == ("unknown", "it is 5, neither true nor false")


def test_evidence_names_every_metric_once_with_its_value() -> None:
    source = "memory.available_percent < 10.0 && memory.available_percent > 1.0 || size(units.all) > 9 || checks.short"
    found = Condition((SCOPE.compile(source, boolean=True),)).evaluate(world()).evidence
    assert found == (
        Evidence("memory.available_percent", 5.0, "%", "/proc/meminfo"),
        Evidence("units.all", 2, "count"),
    )


def test_evidence_of_what_is_missing_says_why_and_lists_are_text() -> None:
    source = "pressure.full.percent > 1.0 || size(memory.zones) > 5"
    found = Condition((SCOPE.compile(source, boolean=True),)).evaluate(world(pressure=DENIED)).evidence
    assert found[0] == Evidence("pressure.full.percent", None, "%", "", "permission denied")
    assert found[1] == Evidence("memory.zones", "[0.5, 1.0]", "ratio")


def test_a_text_is_no_name_whatever_its_quotes() -> None:
    source = r"""item.name == "a 'memory.available_bytes' \" x" || item.name == 'units.all'"""
    assert expression(source).names == ("item",)


def test_a_name_is_the_longest_that_is_declared() -> None:
    assert expression("item.policy.restart").names == ("item",)
    assert expression('units.all.filter(u, u.name != "x")').names == ("units.all",)
    assert expression("memory.available_bytes + MiB").names == ("memory.available_bytes", "MiB")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("memory.available_bytes / 2", 3 * MIB // 2),
        ("memory.available_percent", 5.0),
        ("item.name", "web"),
        ("units.all.map(u, u.name)", ["web", "db"]),
        ("memory.zones", [0.5, 1.0]),
    ],
)
def test_values_are_plain(source: str, value: Any) -> None:
    assert expression(source).value(world()) == value


def test_what_cannot_be_computed_says_why() -> None:
    assert expression("memory.available_bytes / 0").value(world()) == Unavailable(
        "failed", "it cannot be computed: INVALID_ARGUMENT: divide by zero"
    )
    missing = expression("pressure.full.percent + memory.available_percent").value(world(pressure=DENIED))
    assert missing == Unavailable("denied", "pressure.full.percent: permission denied")


def test_text_that_is_no_text_is_unknown() -> None:
    broken = world().at(target="\udcff")
    assert state('target == "x"', broken) == "unknown"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("memory.availabel_percent < 1.0", "unknown metric 'memory.availabel_percent'", "'memory.available_percent'"),
        ("nonsense < 1", "unknown name 'nonsense'", "runbook facts lists every metric"),
        ("check.short", "unknown metric 'check.short'", "did you mean 'checks.short'?"),
        ("has(item.bytes)", "has is not offered", "write <fact>.supported"),
        ("item.bytes == null", "null is not offered", "write <fact>.supported"),
        ("memory.available_percent < 10", "whole numbers and decimals do not mix", '"64.0"'),
        ("memory.available_percent <", "Syntax error", "an expression is CEL"),
        ("memory.available_percent", "this must be true or false, it is double", "compare it with something"),
        ("units.all.exists(u, u.nmae == target)", "an item of units.all has no field 'nmae'", "did you mean 'name'?"),
        ("item.policy.restrat == target", "no field 'policy.restrat'", "did you mean 'policy.restart'?"),
        ("item.zzz == target", "no field 'zzz'", "there are: bytes, failed"),
        ("units.all.filter(u, u.failed).exists(v, v.nope)", "an item of units.all has no field 'nope'", "there are:"),
    ],
)
def test_a_wrong_expression_is_refused_with_a_hint(source: str, message: str, hint: str) -> None:
    error = refusal(source)
    assert message in error.message
    assert hint in error.hint
    assert "INVALID_ARGUMENT" not in error.message
    assert "container" not in error.message


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        (
            "memory.available_percent < 10",
            "found no matching overload for '_<_' applied to '(double, int)': whole numbers and decimals do not mix",
            'write decimals for percentages, rates and seconds ("64.0"), whole numbers for bytes and counts',
        ),
        ("target < 1", "found no matching overload for '_<_' applied to '(string, int)'", ""),
        ("target < 1.0", "found no matching overload for '_<_' applied to '(string, double)'", ""),
        ("nonsense < 1", "unknown name 'nonsense'", "runbook facts lists every metric"),
        ("zzzz.avail < 1", "unknown metric 'zzzz.avail'", "runbook facts lists every metric"),
        (
            "memory.availabel_bytes < 1",
            "unknown metric 'memory.availabel_bytes'",
            "did you mean 'memory.available_bytes'?",
        ),
        (
            "item.bytes == null",
            'null is not offered: it would turn "could not be read" into "no"',
            "write <fact>.supported",
        ),
        (
            "memory.available_bytes",
            "this must be true or false, it is int",
            'compare it with something, as in "memory.available_percent < 10.0"',
        ),
        (
            "item.zzz == target",
            "an item of units.all has no field 'zzz'",
            FIELDS,
        ),
    ],
)
def test_a_refusal_word_for_word(source: str, message: str, hint: str) -> None:
    error = refusal(source)
    assert (error.message, error.hint, str(error)) == (message, hint, message)


def test_a_syntax_error_ends_where_the_librarys_own_code_begins() -> None:
    error = refusal("")
    assert error.message.startswith("Syntax error: ")
    assert error.message.endswith("IDENTIFIER}")
    assert error.hint == "an expression is CEL: && || ! == < in, and text in quotes"


def test_a_refusal_points_at_the_word_or_the_place() -> None:
    assert refusal("memory.available_percent < 1.0 &&\n  nonsense").word == "nonsense"
    syntax = refusal("memory.available_percent < 1.0 &&\n  < 2")
    assert (syntax.line, syntax.column) == (2, 3)
    assert refusal("item.zzz == target").word == "item.zzz"
    assert refusal("item.bytes == null").word == "null"


def test_null_in_a_text_is_text() -> None:
    assert state('target != "null"') == "holds"
    assert state('target != "has(x)"') == "holds"


def test_a_trouble_without_a_place_is_told_as_it_is() -> None:
    error = explained("something else", SCOPE.names)
    assert (error.message, error.line, error.column) == ("something else", 1, 1)


@pytest.mark.parametrize(
    "source",
    [
        'item.policy.restart.startsWith("y")',
        "units.all.exists(u, u.failed) && units.growing.exists(u, u.failed)",
        "units.all.filter(u, u.failed).exists(v, v.bytes > 1)",
        "memory.zones.exists(z, z > 0.1)",
        'units.all.exists(u, u.name == "u.nope")',
        "units.all.map(u, u.name).exists(name, name == target)",
    ],
)
def test_a_field_that_is_there_passes(source: str) -> None:
    SCOPE.compile(source, boolean=True)


def test_one_word_for_items_of_two_lists_knows_the_fields_of_both() -> None:
    error = refusal("units.all.exists(u, u.failed) && units.growing.exists(u, u.nope)")
    assert "has no field 'nope'" in error.message


def test_names_depend_on_the_place() -> None:
    outside = Scope(METRICS, {})
    for source in ("item.name", "target", "before.memory.available_bytes", "checks.short", "parameters.least"):
        with pytest.raises(ConditionError):
            outside.compile(source, boolean=False)
    assert outside.compile("memory.available_bytes", boolean=False).facts == {"memory"}


def test_a_scope_is_not_spelled_out_when_shown() -> None:
    assert len(repr(expression("checks.short"))) < 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('units.all.exists(u, "memory_bytes" in u)', '"in" is not offered for an item'),
        ('units.all.exists(u, u["typo"] == 1)', "named with a dot"),
        ("units.all[0].typo == 1", "has no field 'typo'"),
    ],
)
def test_no_way_around_the_check_of_fields(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        Scope(catalog.metrics(), {}).compile(text, boolean=True)
    assert message in caught.value.message


@pytest.mark.parametrize("text", ['oom.last_class in ["cpuset", "memcg"]', '"tuned" in host.remediators'])
def test_lists_of_words_may_be_asked(text: str) -> None:
    assert Scope(catalog.metrics(), {}).compile(text, boolean=True).names
