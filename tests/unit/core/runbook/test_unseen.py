"""Unseen is unknown: what a cut list leaves out counts, unless it cannot change the answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab.small import METRICS, MIB, Memory, Service, Units, services, snapshot

from memrunbook.core.reading.fact import Cut, Unavailable
from memrunbook.core.runbook.condition import Condition, Scope
from memrunbook.core.runbook.world import World

SCOPE = Scope(METRICS, {"least": "double", "size": "int"}, ("short",), METRICS["units.all"], step=True)
WHY = "2 of 9 services were read, the smaller ones left out"
SEEN = Units(all=(Service(name="web", bytes=40 * MIB), Service(name="db", bytes=20 * MIB)))
CUT = msgspec.structs.replace(SEEN, cut={"all": Cut(WHY, below={"bytes": 10 * MIB})})
BARE = msgspec.structs.replace(SEEN, cut={"all": Cut(WHY)})
KNOWN = Memory(available_percent=5.0, available_bytes=3 * MIB)


def verdict(source: str, units: Any = CUT, /, **before: Any) -> Any:
    now = snapshot(memory=KNOWN, units=units)
    world = World(now, METRICS, {"least": 10.0, "size": 30 * MIB}, {"short": True}, snapshot(**before))
    return Condition((SCOPE.compile(source, boolean=True),)).evaluate(world)


@pytest.mark.parametrize(
    ("source", "whole", "cut"),
    [
        ('units.all.exists(u, u.name == "web")', "holds", "holds"),
        ('units.all.exists(u, u.name == "nginx")', "fails", "unknown"),
        ('!units.all.exists(u, u.name == "nginx")', "holds", "unknown"),
        ('!units.all.exists(u, u.name == "web")', "fails", "fails"),
        ('units.all.all(u, u.name != "nginx")', "holds", "unknown"),
        ('units.all.all(u, u.name != "web")', "fails", "fails"),
        ('units.all.exists_one(u, u.name == "web")', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "nginx")) == 0', "holds", "unknown"),
        ('"nginx" in units.all.map(u, u.name)', "fails", "unknown"),
        ("size(units.all) == 2", "holds", "unknown"),
        ("size(units.all) > 1", "holds", "holds"),
        ("size(units.all) < 2", "fails", "fails"),
        ("size(units.all) < 3", "holds", "unknown"),
        ("size(units.all) * 0 > 1", "fails", "unknown"),
        ("size(units.all) - 1 > 0", "holds", "holds"),
        ("size(units.all) > 1 && memory.available_percent < 10.0", "holds", "holds"),
        ("checks.short && size(units.all) < 3", "holds", "unknown"),
        ('false && units.all.exists(u, u.name == "nginx")', "fails", "fails"),
        ('checks.short || units.all.exists(u, u.name == "nginx")', "holds", "holds"),
        ('units.all[0].name == "web"', "holds", "holds"),
        # The bound decides: everything of 10 MiB and more is in the list.
        ("units.all.exists(u, u.bytes > 50 * MiB)", "fails", "fails"),
        ('units.all.exists(u, u.name == "nginx" && u.bytes >= 10 * MiB)', "fails", "fails"),
        ('units.all.exists(u, u.bytes >= 10 * MiB && u.name == "nginx")', "fails", "fails"),
        ("units.all.exists(u, 50 * MiB < u.bytes)", "fails", "fails"),
        ("units.all.exists(u, u.bytes + u.bytes > 100 * MiB)", "fails", "fails"),
        ("units.all.exists(u, u.bytes * 3 >= 200 * MiB)", "fails", "fails"),
        ("units.all.exists(u, u.bytes - 5 * MiB > 50 * MiB)", "fails", "fails"),
        ("units.all.exists(u, double(u.bytes) > 60000000.0)", "fails", "fails"),
        ("units.all.exists(u, !(u.bytes < 50 * MiB))", "fails", "fails"),
        ("units.all.exists(u, u.bytes == 50 * MiB)", "fails", "fails"),
        ("units.all.all(u, u.bytes <= 50 * MiB)", "holds", "holds"),
        ("units.all.all(u, u.bytes != 50 * MiB)", "holds", "holds"),
        ("units.all.exists_one(u, u.bytes > parameters.size)", "holds", "holds"),
        ("units.all.filter(u, u.bytes > parameters.size)[0].name == 'web'", "holds", "holds"),
        ("size(units.all.filter(u, u.bytes > 50 * MiB)) == 0", "holds", "holds"),
        ("units.all.filter(u, u.bytes > 50 * MiB).exists(v, v.failed)", "fails", "fails"),
        ("units.all.exists(u, memory.available_percent > 10.0 ? u.failed : u.bytes > 50 * MiB)", "fails", "fails"),
        ("units.all.exists(u, u.failed ? u.bytes > 50 * MiB : u.bytes > 60 * MiB)", "fails", "fails"),
        ("units.all.exists(u, checks.short ? u.failed : u.bytes > 50 * MiB)", "fails", "unknown"),
        ("units.all.exists(u, target == 'x' && u.bytes > 50 * MiB)", "fails", "fails"),
        # ... and where it does not, what was left out may be it.
        ("units.all.exists(u, u.bytes < 10 * MiB)", "fails", "unknown"),
        ("units.all.exists(u, u.bytes > 5 * MiB && u.bytes < 8 * MiB)", "fails", "unknown"),
        ("units.all.exists(u, u.bytes >= 9 * MiB && u.failed)", "fails", "unknown"),
        ("units.all.exists(u, u.bytes == 0)", "fails", "unknown"),
        ("units.all.exists(u, -u.bytes < -50 * MiB)", "fails", "unknown"),
        ("units.all.exists(u, u.main_pid == 3 || u.bytes > 50 * MiB)", "fails", "unknown"),
        ("units.all.exists(u, u.failed == (u.bytes > 50 * MiB) && u.failed)", "fails", "unknown"),
        ("units.all.exists(u, units.all.exists(v, v.name == 'nginx') && u.bytes > 30 * MiB)", "fails", "unknown"),
        ('units.all.exists(u, u.policy.restart == "yes")', "fails", "unknown"),
        ("units.all.exists(u, [u.bytes].exists(b, b > 50 * MiB))", "fails", "unknown"),
        ("units.all.exists(u, u.name.size() > 30)", "fails", "unknown"),
        # What was seen decides where more could not change the answer.
        ('size(units.all.filter(u, u.name == "web")) > 0', "holds", "holds"),
        ('size(units.all.filter(u, u.name == "web")) >= 1', "holds", "holds"),
        ('size(units.all.filter(u, u.name == "web")) != 0', "holds", "holds"),
        ('size(units.all.filter(u, u.name == "web")) == 0', "fails", "fails"),
        ('size(units.all.filter(u, u.name == "web")) < 1', "fails", "fails"),
        ('0 < units.all.filter(u, u.name == "web").size()', "holds", "holds"),
        ('!(size(units.all.filter(u, u.name == "web")) > 0)', "fails", "fails"),
        ("size(units.all.map(u, u.name)) > 1", "holds", "holds"),
        ('size(units.all.filter(u, u.name == "web").map(u, u.bytes)) > 0', "holds", "holds"),
        ('size(units.all.filter(u, u.name == "web")) > 0 && memory.available_percent < 10.0', "holds", "holds"),
        ('units.all.filter(u, u.bytes > MiB).exists(v, v.name == "web")', "holds", "holds"),
        ('units.all.filter(u, u.bytes > MiB).all(v, v.name == "web")', "fails", "fails"),
        ('size(units.all.filter(u, u.name == "nginx")) > 0', "fails", "unknown"),
        ('size(units.all.filter(u, u.name == "web")) == 1', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "web")) != 2', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "web")) < 2', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "web")) > 0 && size(units.all) < 3', "holds", "unknown"),
        ("size(units.all.filter(u, size(units.all) < 3)) > 0", "holds", "unknown"),
        ("units.all.exists(u, size(units.all) < 3)", "holds", "unknown"),
        ('units.all.exists_one(u, u.name == "web") && size(units.all) > 0', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "web")) > 0 ? true : false', "holds", "unknown"),
        ('units.all.filter(u, u.name == "web") != []', "holds", "unknown"),
        ('size(units.all.filter(u, u.name == "web" && pressure.full.percent > 1.0)) > 0', "unknown", "unknown"),
        # A list that is not cut stays what it is.
        ('units.growing.exists(u, u.name == "nginx")', "fails", "fails"),
    ],
)
def test_what_was_left_out_is_unknown_unless_it_cannot_matter(source: str, whole: str, cut: str) -> None:
    assert (verdict(source, SEEN).state, verdict(source).state) == (whole, cut)


def test_without_a_bound_only_what_was_seen_decides() -> None:
    assert verdict("units.all.exists(u, u.bytes > 50 * MiB)", BARE).state == "unknown"
    assert verdict("units.all.exists(u, u.bytes > 30 * MiB)", BARE).state == "holds"


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("units.all.exists(u, u.main_pid == 7)", "fails"),
        ("!units.all.exists(u, 7 == u.main_pid && u.failed)", "holds"),
        ("units.all.all(u, u.main_pid != 7)", "holds"),
        ("units.all.exists(u, u.main_pid == parameters.size)", "fails"),
        ("units.all.exists(u, u.main_pid == 4)", "unknown"),
        ("units.all.exists(u, u.main_pid > 90000)", "unknown"),
        ("units.all.exists(u, u.main_pid == u.bytes)", "unknown"),
        ("units.all.exists(u, u.main_pid == u.main_pid + 0 && u.failed)", "unknown"),
    ],
)
def test_of_numbers_that_nobody_has_who_was_left_out_it_is_known_that_they_are_gone(source: str, state: str) -> None:
    among = msgspec.structs.replace(SEEN, cut={"all": Cut(WHY, among={"main_pid": (3, 4, 5)})})
    assert verdict(source, among).state == state


def test_what_was_left_out_may_have_a_least() -> None:
    old = msgspec.structs.replace(SEEN, cut={"all": Cut(WHY, {"bytes": 90.0}, {"bytes": 60.0})})
    assert verdict("units.all.exists(u, u.bytes < 60)", old).state == "fails"
    assert verdict("units.all.exists(u, u.bytes < 70)", old).state == "unknown"
    assert verdict("units.all.exists(u, u.bytes < 90)", old).state == "unknown"
    assert verdict("units.all.all(u, u.bytes >= 60)", old).state == "holds"
    alone = msgspec.structs.replace(SEEN, cut={"all": Cut(WHY, least={"bytes": 60.0})})
    assert verdict("units.all.exists(u, u.bytes < 60)", alone).state == "fails"
    assert verdict("units.all.exists(u, u.bytes < 61)", alone).state == "unknown"


def test_the_reason_is_the_cut_and_what_else_is_missing() -> None:
    assert verdict('units.all.exists(u, u.name == "nginx")').why == f"units.all: {WHY}"
    assert verdict("size(units.all) == 2").why == f"units.all: {WHY}"
    both = verdict('units.all.exists(u, u.name == "nginx") || pressure.full.percent > 1.0')
    assert both.why == f"pressure.full.percent: this fact was not read; units.all: {WHY}"
    alone = verdict("pressure.full.percent > 1.0 && units.all.exists(u, u.bytes > 30 * MiB)")
    assert alone.why == "pressure.full.percent: this fact was not read"


def test_the_list_before_a_step_may_be_cut_too() -> None:
    source = 'before.units.all.exists(u, u.name == "nginx")'
    assert verdict(source, SEEN, units=CUT).state == "unknown"
    assert verdict(source, CUT, units=SEEN).state == "fails"
    assert verdict("before.units.all.exists(u, u.bytes > 50 * MiB)", CUT, units=CUT).state == "fails"


def test_what_is_missing_altogether_is_not_cut() -> None:
    assert verdict("size(units.all) > 1", Unavailable("denied", "no")).why == "units.all: no"


def test_a_list_for_steps_and_suspects_is_of_what_was_seen() -> None:
    world = World(snapshot(memory=KNOWN, units=CUT), METRICS)
    assert SCOPE.compile("units.all.map(u, u.name)", boolean=False).value(world) == ["web", "db"]
    assert SCOPE.compile("size(units.all)", boolean=False).value(world) == 2


def test_a_long_list_is_cut_as_a_short_one_is() -> None:
    many = msgspec.structs.replace(services(*(f"s{n}" for n in range(40))), cut={"all": Cut(WHY)})
    assert verdict('units.all.exists(u, u.name == "s39")', many).state == "holds"
    assert verdict('units.all.exists(u, u.name == "nginx")', many).state == "unknown"
