"""The tables of `bench.peers`: a row a contestant, what is missing named, goals both ways, a place in a page."""

from __future__ import annotations

from math import nan

import pytest
from bench.figures import MIB, Figures
from bench.meter import Cost
from bench.peers.contestants import DEFAULT, FLOOR, JOBS, LOGIN, OPTIMISED, OURS, PARALLEL_SSH, PYINFRA, QUICK, name_of
from bench.peers.page import BEGIN, COUNTED, END, Tables, Told, goals, job_rows, long, paid_rows, replaced, short

WALLS = {FLOOR: 2.0, QUICK: 3.0, OURS: 4.0, DEFAULT: 100.0, OPTIMISED: 12.0, PYINFRA: 6.0}
TOLD = Told("2026-11-29 09:00", "2 CPUs", 3, "abc", ["pyinfra 3.10.0"])


@pytest.fixture
def tables() -> Tables:
    """Three rounds of all but fabric, which has none; the slowest was measured once. parallel-ssh is not there."""
    figures = Figures()
    for job in JOBS:
        for count in (1, 100):
            for what, wall in WALLS.items():
                if what == QUICK and job == "remediate":
                    continue
                for _ in range(1 if what == DEFAULT else 3):
                    cost = Cost(wall, count * 0.01, 50 * MIB, count * 0.05, together=70.0 * MIB)
                    figures.add(name_of(job, what), count, cost)
        for what in WALLS:
            cost = Cost(1.0, 1.0, MIB, host_memory=3.0 * MIB, forks=9)
            figures.add(name_of(COUNTED, name_of(job, what)), 1, cost)
    figures.add(name_of(COUNTED, name_of(LOGIN, LOGIN)), 1, Cost(1.0, 1.0, MIB, host_memory=1.0 * MIB, forks=5))
    return Tables(figures, [1, 100], {"parallel-ssh": "not installed: no wheel"})


def test_each_contestant_is_told_by_the_floor(tables: Tables) -> None:
    rows = {row[0]: row[1:] for row in job_rows(tables, "diagnose", 100)}
    assert rows[OURS] == pytest.approx((4.0, 2.0, 10.0, 1.0, 50.0, 70.0, 50.0, 1.0))
    assert rows[FLOOR] == pytest.approx((2.0, 1.0, 10.0, 1.0, nan, 70.0, 50.0, 1.0), nan_ok=True)


def test_who_was_measured_once_and_who_is_not_there_are_said(tables: Tables) -> None:
    rows = {row[0]: row[1] for row in job_rows(tables, "remediate", 100)}
    assert rows[f"{DEFAULT} (once)"] == 100.0
    assert rows[PARALLEL_SSH] == "not installed: no wheel"
    assert QUICK not in rows
    assert PARALLEL_SSH not in {row[0] for row in paid_rows(tables)}


def test_what_a_host_pays_is_above_a_login(tables: Tables) -> None:
    rows = {row[0]: row[1:] for row in paid_rows(tables)}
    assert rows[OURS] == pytest.approx((4.0, 2.0, 4.0, 2.0))


def test_a_goal_may_be_at_least_so_much(tables: Tables) -> None:
    said = {goal.what: goal.verdict(value) for goal, value in goals(tables)}
    assert said["100 hosts: diagnose, wall of Ansible, default / ours"] == "33.3, **missed**"
    assert said["100 hosts: diagnose, wall of pyinfra / ours"] == "2.00, met"
    assert said["100 hosts: diagnose, controller CPU / floor"] == "1.00, met"
    assert said["100 hosts: five steps, wall / floor"] == "2.00, **missed**"


def test_both_pages_say_when_and_where(tables: Tables) -> None:
    assert str(TOLD) in "\n".join(long(TOLD, tables))
    text = "\n".join(short(TOLD, tables))
    assert str(TOLD) in text
    assert "| runbook --quick | 3.00 s (1.50x) | 10.0 ms | 70.0 MiB | 50.0 ms |  |  |  |" in text
    assert "| parallel-ssh | not installed: no wheel |" in text


def test_tables_take_the_place_of_those_before() -> None:
    page = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    once = replaced(page, "new", "README.md")
    assert once == f"above\n{BEGIN}\nnew\n{END}\nbelow\n" == replaced(once, "new", "README.md")
    with pytest.raises(SystemExit, match=r"README.md: there is no place"):
        replaced("above\n", "new", "README.md")
