"""Binding a runbook: everything that is wrong with its expressions and names is said at once, with its place."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from memrunbook.core.action.action import Action
from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.condition import Expression
from memrunbook.core.runbook.environment import Environment
from memrunbook.documents.library import LibraryEntry, entries, read
from memrunbook.documents.runbooks import load_one_of_many, load_runbook

HEAD = """\
apiVersion: memrunbook/v1
name: lab
title: Lab
"""
CHECKS = """\
checks:
  - id: too-short
    name: Memory is short
    when: memory.available_percent < 10.0
    severity: critical
incident: checks.too_short
"""
STEP = """\
steps:
  - id: calm
    name: Swap less
    action: set_sysctl
    with: {key: vm.swappiness, value: 10}
"""


def load(text: str, parameters: dict[str, str] | None = None) -> Runbook:
    return load_runbook(text.encode(), "lab.yaml", "test", parameters)


def problems(text: str) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        load(text)
    return caught.value.problems


def problem(text: str) -> Problem:
    (found,) = problems(text)
    return found


def steps(*lines: str) -> str:
    return HEAD + CHECKS + "steps:\n" + textwrap.indent("\n".join(lines), "  ") + "\n"


def one_step(*lines: str, action: str = "set_sysctl", values: str = "{key: vm.swappiness, value: 10}") -> str:
    body = ["- id: calm", "  name: Calm", f"  action: {action}", f"  with: {values}", *(f"  {line}" for line in lines)]
    return steps(*body)


def test_a_whole_runbook_is_bound() -> None:
    book = load(
        HEAD
        + "parameters:\n  goal: {type: integer, default: 10}\n"
        + "signals: [memory.available_percent]\n"
        + CHECKS
        + "resolved: {that: memory.available_percent > before.memory.available_percent, hold: 2m}\n"
        + "causes:\n  - {kind: unit, from: units.all, name: item.name, score: item.swap_bytes}\n"
        + "  - {kind: setting, name: '\"vm.swappiness\"', score: sysctl.vm.swappiness}\n"
        + STEP.replace("value: 10", "value: '${{ parameters.goal }}'"),
        {"goal": "20"},
    )
    assert (book.name, book.origin, len(book.digest), book.hold) == ("lab", "test", 64, 120.0)
    assert book.parameters == {"goal": 20}
    assert [check.variable for check in book.checks] == ["too_short"]
    assert book.incident.source == "checks.too_short"
    assert book.resolved is not None
    assert [cause.items is None for cause in book.causes] == [False, True]
    (step,) = book.steps
    assert issubclass(step.action, Action)
    assert isinstance(step.values["value"], Expression)
    assert step.values["key"] == "vm.swappiness"
    assert (step.when, step.guards, step.for_each, step.key, step.verify) == (None, (), None, None, None)
    assert not step.chosen_by_rule, "the author names what is touched, an expression only how much"


def test_a_once_only_action_is_never_repeated() -> None:
    text = one_step("retries: {times: 2, every: 5s}", action="compact_memory", values="{}")
    assert "compact_memory is never repeated" in problems(text)[0].message


COMMAND = "{command: [systemctl, reset-failed], risk: low}"


def test_a_command_needs_a_proof_that_only_the_runbook_knows() -> None:
    found = problem(one_step(action="run_command", values=COMMAND))
    assert found.message == "run_command needs a `verify`: only the runbook knows what it should bring about"
    assert found.hint == "add verify: {that: …, within: 1m}"
    assert found.where.startswith("lab.yaml:")
    proven = one_step("verify: {that: memory.available_percent > 10.0}", action="run_command", values=COMMAND)
    assert load(proven).steps[0].verify is not None


def test_a_step_with_everything() -> None:
    book = load(
        one_step(
            "for_each: units.growing.filter(u, u.active)",
            "limit: 2",
            "when: [checks.too_short, item.active]",
            "guard:",
            "  - {that: size(units.growing) < 3, why: too many}",
            "verify: {that: 'units.all.exists(u, u.name == target)', within: 2m, hold: 90s}",
            action="restart_unit",
            values="{unit: '${{ item.name }}'}",
        )
    )
    (step,) = book.steps
    assert step.for_each is not None
    assert step.key is not None
    assert step.key.source == "item.name"
    assert step.when is not None
    assert step.when.source == "(checks.too_short) && (item.active)"
    assert [guard.why for guard in step.guards] == ["too many"]
    assert step.verify is not None
    assert (step.verify.within, step.verify.hold) == (120.0, 90.0)
    assert book.resolved is None
    assert book.hold == 0.0


@pytest.mark.parametrize(
    ("old", "new", "where", "message", "hint"),
    [
        ("available_percent <", "availabel_percent <", "7:11", "unknown metric", "'memory.available_percent'"),
        ("< 10.0", "< 10", "7:36", "whole numbers and decimals do not mix", '"64.0"'),
        ("incident: checks.too_short", "incident: checks.too_shrot", "9:11", "unknown", "'checks.too_short'"),
        ("id: too-short", "id: Too_Short", "5:", "is no id", "lower-case letters"),
        ("action: set_sysctl", "action: set_syctl", "13:13", "unknown action 'set_syctl'", "'set_sysctl'"),
        ("key: vm.swappiness,", "kee: vm.swappiness,", "14:", "set_sysctl has no parameter 'kee'", "'key'"),
        ("value: 10", "value: 1.5", "14:", "is the number 1.5", "put it in quotes"),
        ("value: 10", "value: 'a ${{ 1 }}'", "14:", "an expression must be the whole value", '"a " + string(1)'),
        ("value: 10", "value: '${{ nonsense }}'", "14:", "unknown name 'nonsense'", ""),
    ],
)
def test_a_mistake_is_found_where_it_stands(old: str, new: str, where: str, message: str, hint: str) -> None:
    text = HEAD + CHECKS + STEP
    assert old in text
    found = problems(text.replace(old, new))
    fitting = [one for one in found if message in one.message]
    assert fitting
    assert fitting[0].where.startswith(f"lab.yaml:{where}")
    assert hint in fitting[0].hint


def test_all_mistakes_are_said_at_once() -> None:
    text = (HEAD + "signals: [memory.nonsense]\n" + CHECKS + STEP).replace("< 10.0", "< 10").replace("set_sysctl", "x")
    assert [one.where.split(":")[1] for one in problems(text)] == ["4", "8", "14"]


def test_a_required_parameter_that_is_missing() -> None:
    found = problem(one_step(values="{key: vm.swappiness}"))
    assert found.message == "set_sysctl needs the parameter 'value'"
    assert found.hint == "with: {value: …}"


def test_ids_are_used_once() -> None:
    text = HEAD + CHECKS + STEP + "\n".join(STEP.splitlines()[1:]) + "\n"
    assert problem(text).message == "the id 'calm' is used twice"


@pytest.mark.parametrize("word", ["for_each", "from"])
def test_items_must_be_a_list(word: str) -> None:
    if word == "for_each":
        text = one_step("for_each: memory.available_bytes", "key: memory.available_bytes")
    else:
        text = (
            HEAD + CHECKS + "causes:\n  - {kind: kernel, from: memory.free_bytes, name: '\"x\"', score: '1'}\n" + STEP
        )
    assert problem(text).message == "this must be a list of items"


def test_an_item_has_the_fields_of_its_list() -> None:
    found = problem(one_step("for_each: units.all", "when: item.nmae == 'x'"))
    assert found.message == "an item of units.all has no field 'nmae'"
    assert found.where == "lab.yaml:16:11"


def test_an_item_exists_only_inside_of_for_each() -> None:
    assert "item" in problem(one_step("when: item.active")).message


def test_checks_do_not_rest_on_checks() -> None:
    text = (HEAD + CHECKS + STEP).replace("when: memory.available_percent < 10.0", "when: checks.too_short")
    assert "checks.too_short" in problem(text).message


def test_before_and_target_belong_to_steps() -> None:
    text = (HEAD + CHECKS + STEP).replace("memory.available_percent <", "before.memory.available_percent <")
    assert "unknown metric" in problem(text).message
    load(one_step("verify: {that: 'before.memory.available_bytes > 0 && target != \"\"'}"))


def test_a_cause_that_does_not_compile_is_a_problem() -> None:
    text = HEAD + CHECKS + "causes:\n  - {kind: unit, from: units.all, name: item.nmae, score: nope}\n" + STEP
    assert len(problems(text)) == 2


def test_a_signal_that_does_not_exist() -> None:
    found = problem(HEAD + "signals: [memory.availabel_bytes, zzz]\n".replace(", zzz", "") + CHECKS + STEP)
    assert found.message == "unknown metric 'memory.availabel_bytes'"
    assert "memory.available_bytes" in found.hint
    far = problem(HEAD + "signals: [qqqqqqqq]\n" + CHECKS + STEP)
    assert far.hint.startswith("there are: ")


def test_an_empty_expression_is_a_problem() -> None:
    assert problems(one_step('when: ""'))


@pytest.mark.parametrize("line", ["limit: 0", "limit: -1", "retries: {times: 0, every: 5s}"])
def test_numbers_that_make_no_sense_are_refused(line: str) -> None:
    assert problems(one_step(line))


def test_a_parameters_default_is_checked() -> None:
    text = HEAD + "parameters:\n  goal: {type: integer, default: 10, maximum: 5}\n" + CHECKS + STEP
    assert problem(text).message == "10 is above the maximum of 5"


def test_what_the_command_line_gave_wrong_is_no_problem_of_the_file() -> None:
    with pytest.raises(UsageError, match="no parameter"):
        load(HEAD + CHECKS + STEP, {"goal": "5"})


@pytest.mark.parametrize("entry", entries([]), ids=lambda entry: entry.name)
def test_what_is_trusted_becomes_the_same_runbook_and_compiles_nothing(
    entry: LibraryEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = read(entry.name, [])
    checked = load_runbook(*content)
    with monkeypatch.context() as patched:
        patched.setattr(Environment, "compile", None)
        trusted = load_one_of_many(*content, {}, trusted=True)
        assert trusted.diagnosis_facts == checked.diagnosis_facts
    assert (len(trusted.steps), trusted.facts) == (len(checked.steps), checked.facts)
    assert tuple(trusted.steps) == checked.steps
    assert replace(trusted, steps=checked.steps) == checked


NONSENSE = """\
checks:
  - {id: low, name: Low, when: memory.availible_percent < parameters.goal, severity: critical}
  - {id: late, name: Late, when: swap.used_percent > parameters.other + 'x', severity: info}
incident: checks.lo
steps:
  - {id: calm, name: Calm, action: set_sysctl, with: {key: '${{ parameters.goal + nothing }}', value: 10}}
  - {id: calm, name: Calm, action: set_sysctll, with: {key: vm.swappiness}}
"""
ALWAYS = (
    "unknown metric 'checks.lo'",
    "the id 'calm' is used twice",
    "unknown action 'set_sysctll'",
    "parameters.other",
)


@pytest.mark.parametrize(
    ("goal", "form", "knows_type"),
    [
        ("{type: integr, default: 1}", "must be one of", False),
        ("{default: 1}", '"type" is missing', False),
        ("7", "must be a mapping", False),
        ("{type: number}", '"default" is missing', True),
        ("{type: number, default: 5.0, minimun: 1}", "is not known here", True),
        ("{type: number, default: 5.0, minimum: [1]}", "must be", True),
        ("{type: number, default: {}, minimum: 7, secret: 1}", "must be", True),
    ],
)
def test_a_parameter_of_no_form_hides_nothing_of_the_rest(goal: str, form: str, *, knows_type: bool) -> None:
    found = problems(f"{HEAD}parameters:\n  goal: {goal}\n  size: {{type: size, default: '5'}}\n{NONSENSE}")
    said = [one.message for one in found]
    assert any(form in one for one in said), said
    assert any(one.where.startswith("lab.yaml:6:") for one in found), "the default of the other parameter"
    for words in ALWAYS:
        assert sum(words in one for one in said) == 1, said
    of_the_goal = [one for one in said if "availible" in one or "nothing" in one]
    assert len(of_the_goal) == (2 if knows_type else 0), said
    assert not any("parameters.goal" in one for one in said)


@pytest.mark.parametrize("given", ["7", "[]"])
def test_parameters_of_no_form_hide_nothing_that_does_not_speak_of_them(given: str) -> None:
    said = [one.message for one in problems(f"{HEAD}parameters: {given}\n{NONSENSE}")]
    assert any("must be a mapping" in one for one in said)
    assert [words for words in ALWAYS[:-1] if not any(words in one for one in said)] == []
    assert not any("parameters." in one for one in said)
