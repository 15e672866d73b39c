"""Compiling the expressions of one file, with the place of what is wrong."""

from __future__ import annotations

import msgspec

from memrunbook.core.runbook.spec import RunbookSpec
from memrunbook.documents.binder import Binder, near
from memrunbook.documents.yaml_source import load

TEXT = """\
apiVersion: memrunbook/v1
name: lab
title: Lab
parameters: {goal: {type: integer, default: 1}}
checks: [{id: too-short, name: Short, when: memory.available_percent < 10.0, severity: info}]
incident: checks.too_short
steps: []
"""


def binder(*, trusted: bool = False) -> Binder:
    source = load(TEXT, "lab.yaml")
    return Binder(source, msgspec.convert(source.data, RunbookSpec), trusted)


def test_names_are_those_of_the_place() -> None:
    made = binder()
    assert "checks.too_short" in made.scope().names
    assert "checks.too_short" not in made.scope(checks=False).names
    assert "target" in made.scope(step=True).names
    assert made.scope() is made.scope()


def test_what_does_not_compile_is_told_at_its_word() -> None:
    made = binder()
    assert made.expression("parameters.gaol", ("title",), made.scope()) is None
    (problem,) = made.problems
    assert (problem.message, problem.hint) == ("unknown metric 'parameters.gaol'", "did you mean 'parameters.goal'?")


def test_a_place_that_was_told_is_not_told_again_and_a_trusted_file_is_not_compiled() -> None:
    made = binder()
    made.told.add(("title",))
    assert made.expression("nonsense", ("title",), made.scope()) is None
    assert made.problems == []
    assert binder(trusted=True).expression(" nonsense ", (), made.scope()) is not None


def test_a_name_that_is_near_or_all_that_there_are() -> None:
    assert near("swappines", {"swappiness": 1, "other": 2}) == "did you mean 'swappiness'?"
    assert near("qqq", {"b": 1, "a": 2}) == "there are: a, b"
