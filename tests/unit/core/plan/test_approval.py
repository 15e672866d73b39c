"""How many people must approve what."""

from __future__ import annotations

import pytest
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step

from memrunbook.core.action.action import Risk
from memrunbook.core.plan.approval import ApprovalRule, Person, one_by_one, people_for, people_needed, same_person
from memrunbook.core.plan.planner import make_plan

RULES = (
    ApprovalRule(risk="medium"),
    ApprovalRule(people=2, hosts="db*"),
    ApprovalRule(people=3, risk="high", runbook="swap-*"),
)


@pytest.mark.parametrize(
    ("runbook_name", "host", "risk", "people"),
    [
        ("oom-event", "web-1", Risk.LOW, 0),
        ("oom-event", "web-1", Risk.MEDIUM, 1),
        ("oom-event", "db-1", Risk.LOW, 2),
        ("oom-event", "db-1", Risk.NONE, 0),
        ("swap-thrashing", "db-1", Risk.HIGH, 3),
        ("swap-thrashing", "web-1", Risk.MEDIUM, 1),
    ],
)
def test_the_rule_that_asks_for_the_most_counts(runbook_name: str, host: str, risk: Risk, people: int) -> None:
    assert people_needed(RULES, runbook_name, host, risk) == people


def test_a_plan_needs_what_its_changes_need() -> None:
    books = [runbook(step(values={"risk": risk})) for risk in (0, 1, 2)]
    plans = [make_plan(book, snapshot(0.0, **at(5.0))) for book in books]
    assert [people_for(RULES, [plan]) for plan in plans] == [0, 0, 1]
    assert people_for((), plans) == 0
    assert people_for(RULES, []) == 0


@pytest.mark.parametrize(
    ("principal", "user", "same"),
    [
        ("ada", "ada", True),
        ("Ada@example.com", "ada", True),
        ("ada@example.com", "ada@example.com", True),
        ("adam", "ada", False),
        ("ada", "", False),
    ],
)
def test_who_is_the_same_person(principal: str, user: str, *, same: bool) -> None:
    assert same_person(principal, user) is same


def _person(names: str, key: str) -> Person:
    return Person(names.split(",", maxsplit=1)[0], key, frozenset(names.split(",")))


@pytest.mark.parametrize(
    ("signed", "persons"),
    [
        ([("ada", "1"), ("bob", "2")], [["1"], ["2"]]),
        ([("ada,ada@corp", "1"), ("ada@corp,ada", "2")], [["1", "2"]]),
        ([("ada", "1"), ("Ada@corp", "2")], [["1", "2"]]),
        ([("ada@corp", "1"), ("bob", "2"), ("ada", "3")], [["1", "3"], ["2"]]),
        ([("ada", "1"), ("bob", "1")], [["1", "1"]]),
        ([("ada@corp", "1"), ("ada@elsewhere", "2")], [["1"], ["2"]]),
        ([("ada", "1"), ("bob", "2"), ("eve", "3"), ("bob,ada", "4")], [["1", "2", "4"], ["3"]]),
        ([], []),
    ],
)
def test_a_person_counts_once_with_all_keys_and_names(signed: list[tuple[str, str]], persons: list[list[str]]) -> None:
    found = one_by_one(_person(names, key) for names, key in signed)
    assert [[one.key for one in entries] for entries in found] == persons
