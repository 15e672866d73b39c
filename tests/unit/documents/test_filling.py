"""Expressions among the values of `with`: bound as a whole value or item, told in words anywhere else."""

from __future__ import annotations

import pytest
from tests.unit.actions.hosts import DENIED, host

from memrunbook import catalog
from memrunbook.actions.run_command import RunCommand
from memrunbook.core.action.action import Blocked
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.plan.planner import bind_action
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.world import World
from memrunbook.documents.runbooks import load_runbook

TEXT = """\
apiVersion: memrunbook/v1
name: lab
title: Lab
description: What it is.
parameters:
  file: {type: string, default: /tmp/x, description: Which file.}
  count: {type: integer, default: 3}
checks:
  - id: too-short
    name: Memory is short
    when: memory.available_percent < 10.0
    severity: critical
    explain: It is short.
incident: checks.too_short
causes:
  - {kind: unit, from: units.all, name: item.name, score: item.swap_bytes}
steps:
  - id: touch
    name: Touch it
    action: run_command
    with:
      command:
        - touch
        - FILE
      risk: low
      costs: Nothing.
    when: [checks.too_short]
    guard: [{that: memory.available_bytes > 0, why: It must be.}]
    verify: {that: memory.available_percent > 10.0}
"""
LIST = "\n        - touch\n        - FILE"


def load(old: str = "", new: str = "") -> Runbook:
    assert old in TEXT
    return load_runbook(TEXT.replace(old, new).encode(), "lab.yaml", "test", {})


def problems(old: str, new: str) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        load(old, new)
    return caught.value.problems


def command(book: Runbook, **metrics: object) -> object:
    snapshot = host(dict(metrics))
    found = bind_action(book.steps[0], World(snapshot, catalog.metrics(), book.parameters))
    return found.command if isinstance(found, RunCommand) else found


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("'${{ parameters.file }}'", "/tmp/x"),
        ("${{ parameters.file }}", "/tmp/x"),
        ("' ${{ parameters.file }} '", "/tmp/x"),
        ("'${{ parameters.file + \"-\" + string(parameters.count) }}'", "/tmp/x-3"),
        ("'${{ \"${{ as it is }}\" }}'", "${{ as it is }}"),
        ("'$HOME {{ braces }}'", "$HOME {{ braces }}"),
    ],
)
def test_an_item_that_is_a_whole_expression_is_bound(item: str, value: str) -> None:
    assert command(load("FILE", item)) == ("touch", value)


def test_a_list_in_brackets_and_a_whole_list_are_bound_alike() -> None:
    assert command(load(LIST, ' [touch, "${{ parameters.file }}"]')) == ("touch", "/tmp/x")
    assert command(load(LIST, " '${{ [\"touch\", parameters.file] }}'")) == ("touch", "/tmp/x")


def test_an_item_that_is_unknown_blocks_the_step_and_its_fact_is_read() -> None:
    book = load("FILE", "${{ string(sysctl.vm.swappiness) }}")
    assert "sysctl" in book.steps[0].facts
    found = command(book, **{"sysctl.vm.swappiness": DENIED})
    assert isinstance(found, Blocked)
    assert found.why.startswith("command is unknown: sysctl.vm.swappiness")


def test_an_item_that_an_expression_names_is_chosen_by_a_rule() -> None:
    assert load("FILE", "${{ parameters.file }}").steps[0].chosen_by_rule
    assert not load().steps[0].chosen_by_rule


@pytest.mark.parametrize(
    ("old", "new", "where", "message", "hint"),
    [
        ("- FILE", "- '${{ parameters.fil }}'", "24:16", "unknown metric 'parameters.fil'", "'parameters.file'"),
        ("- FILE", "- ${{ parameters.count }}", "24:15", "must be text, the expression is a whole number",
         "${{ string(parameters.count) }}"),
        ("- FILE", "- a ${{ parameters.file }} b", "24:13", "must be the whole value",
         "'${{ \"a \" + parameters.file + \" b\" }}'"),
        ("- FILE", "- ${{ parameters.count }}${{ parameters.file }}", "24:11", "must be the whole value",
         "'${{ string(parameters.count) + parameters.file }}'"),
        ("- FILE", "- a ${{ parameters.fil }}", "24:17", "unknown metric 'parameters.fil'", "'parameters.file'"),
        ("- FILE", "- ${{ parameters.file", "24:11", "must be the whole value", "no text templating"),
        ("- FILE", "- [${{ parameters.file }}]", "24:", "", ""),
        ("- FILE", "- {a: {b: ['x ${{ parameters.file }}']}}", "24:23", "must be the whole value", '"x "'),
        ("- FILE", "- {'${{ parameters.file }}': 1}", "24:", "a key cannot be an expression", ""),
        ("- touch\n", "- 7\n        - ${{ parameters.file }}\n", "23:11", "must be text, is the number 7", "quotes"),
        ("costs: Nothing.", "costs: of ${{ parameters.file }}", "26:17", "must be the whole value", '"of "'),
        ("risk: low", "risk: ${{ parameters.count }}", "25:17", "must be text", "string("),
        (LIST, " ${{ parameters.file }}", "22:20", "must be a list, the expression is text",
         "[parameters.file]"),
        ("when: [checks.too_short]", "when: ['${{ checks.too_short }}']", "27:13", "an expression as it stands",
         "leave out ${{ and }}: checks.too_short"),
        ("that: memory.available_bytes > 0", "that: '${{ memory.available_bytes > 0 }}'", "28:21", "as it stands",
         "leave out"),
        ("that: memory.available_percent > 10.0", "that: '${{ true }}'", "29:21", "as it stands", "leave out"),
        ("incident: checks.too_short", "incident: ${{ checks.too_short }}", "14:11", "as it stands", "leave out"),
        ("name: item.name", "name: '${{ item.name }}'", "16:", "as it stands", "leave out"),
        ("title: Lab", "title: Lab ${{ parameters.file }}", "3:12", "no expression is computed here", "`with`"),
        ("What it is.", "What ${{ parameters.file }} is.", "4:19", "no expression is computed here", ""),
        ("description: Which file.", "description: '${{ parameters.file }}'", "6:", "is computed here", ""),
        ("default: /tmp/x", "default: '${{ parameters.count }}'", "6:", "no expression is computed here", ""),
        ("name: Memory is short", "name: ${{ parameters.file }}", "10:11", "no expression is computed here", ""),
        ("explain: It is", "explain: ${{ parameters.file }} is", "13:14", "no expression is computed here", ""),
        ("name: Touch it", "name: Touch ${{ parameters.file }}", "19:17", "no expression is computed here", ""),
        ("why: It must be.", "why: '${{ parameters.file }}'", "28:", "no expression is computed here", ""),
    ],
)  # fmt: skip
def test_an_expression_in_the_wrong_place_is_told_with_the_right_form(
    old: str, new: str, where: str, message: str, hint: str
) -> None:
    found = [one for one in problems(old, new) if message in one.message]
    assert found, problems(old, new)
    assert found[0].where.startswith(f"lab.yaml:{where}")
    assert hint in found[0].hint


def test_what_stands_in_the_wrong_place_is_told_once() -> None:
    assert len(problems("incident: checks.too_short", "incident: ${{ checks.too_short }}")) == 1
    assert len(problems("- FILE", "- a ${{ parameters.file }}")) == 1


def test_the_example_of_the_reference_is_a_step_that_binds() -> None:
    head = TEXT.partition("steps:")[0].replace("file: {", "config: {")
    text = f"{head}steps:\n{RunCommand.example}"
    assert command(load_runbook(text.encode(), "lab.yaml", "test", {})) == ("logrotate", "--force", "/tmp/x")
