"""The tables of `bench.fleet`: each goal with what was measured, and the ratios of two checkouts."""

from __future__ import annotations

from math import isnan

import pytest
from bench.figures import MIB, Figures
from bench.meter import Cost
from bench.tables import change_rows, fleet_rows, goals_of, report, sample_rows


@pytest.fixture
def figures() -> Figures:
    """One round: the floor costs a host 10 ms here and 40 ms there; `old` four times that, `new` as much."""
    figures = Figures()
    for hosts in (1, 10, 100):
        figures.add("floor", hosts, Cost(hosts * 0.02, hosts * 0.01, 0, hosts * 0.04))
        figures.add("diagnose old", hosts, Cost(hosts * 0.08, hosts * 0.04, (100 + hosts) * MIB, hosts * 0.16))
        figures.add("diagnose new", hosts, Cost(hosts * 0.02, hosts * 0.01, 50 * MIB, hosts * 0.04))
    for what, host_cpu in {
        "login": 0.2,
        "reference": 0.4,
        "1 old": 0.8,
        "3 old": 1.6,
        "1 new": 0.4,
        "3 new": 0.48,
    }.items():
        figures.add(what, 10, Cost(1.0, 1.0, MIB, host_cpu))
    for what, cpu in {"python new": 0.02, "help new": 0.1, "list new": 0.2}.items():
        figures.add(what, 0, Cost(1.0, cpu, MIB))
    return figures


def test_each_contestant_is_told_by_host_and_by_the_floor(figures: Figures) -> None:
    floor, old, _ = fleet_rows(figures, 100, ["old", "new"])
    assert floor[:7] == ("floor, 100 hosts", 2.0, 1.0, 10.0, 1.0, 40.0, 1.0)
    assert old == pytest.approx(("diagnose old, 100 hosts", 8.0, 4.0, 40.0, 4.0, 160.0, 4.0, 200.0))


def test_samples_are_told_by_the_reference_probe(figures: Figures) -> None:
    said = {what: (each, by) for what, each, by in sample_rows(figures, 10, ["old"])}
    assert said["login alone: ssh HOST true"] == (20.0, 0.5)
    assert said["old, three samples"] == (160.0, 4.0)


def test_goals_are_measured_on_the_most_hosts_and_on_one(figures: Figures) -> None:
    reached = {goal.what: value for goal, value in goals_of(figures, [1, 10, 100], "new", 10)}
    assert reached["wall / floor, 100 hosts"] == 1.0
    assert reached["host CPU, first sample / reference probe"] == 1.0
    assert reached["host CPU, each further sample / reference probe"] == pytest.approx(0.1)
    assert reached["one host: memory"] == 50.0
    assert reached["--help: CPU above python"] == pytest.approx(80.0)


def test_growth_is_counted_between_the_two_largest_fleets(figures: Figures) -> None:
    reached = {goal.what: value for goal, value in goals_of(figures, [1, 10, 100], "old", 10)}
    assert reached["growth from 10 to 100 hosts"] == 1024.0
    assert isnan(reached["list: CPU above python"])


def test_a_goal_that_was_not_measured_is_no_goal_met(figures: Figures) -> None:
    text = "\n".join(report("here", figures, [1, 10, 100], ["new"], 0))
    assert "| host CPU, first sample / reference probe | <= 1.30 | - |" in text
    assert "| one host: memory | <= 90.0 MiB | 50.0, met |" in text
    assert "| list: CPU above python | <= 100 ms | 180, **missed** |" in text


def test_two_checkouts_are_compared_round_by_round(figures: Figures) -> None:
    rows = {row[0]: row[1:] for row in change_rows(figures, [1, 100], "old", "new", 10)}
    assert rows["diagnose, 1 host"] == pytest.approx((0.25, 0.25, 0.25, 50 / 101))
    assert rows["facts, one sample"] == pytest.approx((1.0, 1.0, 0.5, 1.0))
