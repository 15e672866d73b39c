"""What is judged after chaos: sound evidence passes, and each thing that must not be is found where it is put in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.chaos.verdict import STEPS, Evidence, Front, Part, Told, judged

HOST, ORDER, RUN, PART, NODE = "127.0.1.1", "order-000", "run-a", "part-a", "node-0"
DONE = Told("failed", dict.fromkeys(STEPS, "done"))
WHOLE = tuple(f"{event} {step} {ORDER}" for step in STEPS for event in ("begun", "ended"))
SOUND = Evidence(
    fronts=(Front(ORDER, (HOST,), RUN, 3, {HOST: DONE}),),
    lines={HOST: WHOLE},
    parts=(Part(PART, RUN, HOST, "ended", "failed", 1, NODE),),
    journals={PART: {NODE: DONE}},
    audits={NODE: ()},
)


def kinds(found: Evidence) -> set[str]:
    return {wrong.kind for wrong in judged(found)}


def fronts(**changed: object) -> Evidence:
    return replace(SOUND, fronts=(replace(SOUND.fronts[0], **changed),))  # type: ignore[arg-type]


def parts(**changed: object) -> Evidence:
    return replace(SOUND, parts=(replace(SOUND.parts[0], **changed),))  # type: ignore[arg-type]


def told(outcome: str, **states: str) -> Evidence:
    """The same word of front, store and journal."""
    said = Told(outcome, {**DONE.steps, **states})
    found = parts(outcome=outcome)
    return replace(found, fronts=fronts(told={HOST: said}).fronts, journals={PART: {NODE: said}})


def test_sound_evidence_passes() -> None:
    assert judged(SOUND) == []


def test_a_step_twice() -> None:
    assert kinds(replace(SOUND, lines={HOST: (*WHOLE, *WHOLE[:2])})) == {"twice"}


def test_two_at_once() -> None:
    lines = (f"begun one {ORDER}", f"begun two {ORDER}", f"ended one {ORDER}", f"ended two {ORDER}", *WHOLE[4:])
    assert kinds(replace(SOUND, lines={HOST: lines})) == {"at once"}


@pytest.mark.parametrize("line", ["begun one order-999", "begun five order-000", "begun one"])
def test_a_line_that_is_nobodys(line: str) -> None:
    assert kinds(replace(SOUND, lines={HOST: (*WHOLE, line)})) == {"stranger"}


def test_lines_of_a_host_that_was_not_meant() -> None:
    assert kinds(replace(SOUND, lines={HOST: WHOLE, "127.0.1.2": WHOLE[:1]})) == {"stranger"}


@pytest.mark.parametrize("code", [None, 6])
def test_a_run_without_an_end(code: int | None) -> None:
    assert "lost" in kinds(fronts(told={}, code=code))


def test_a_run_that_never_ends_and_has_begun_nothing() -> None:
    assert kinds(replace(fronts(told={}, code=None), lines={}, journals={}, parts=())) == {"lost"}


def test_a_run_that_could_not_be_ordered_and_says_so() -> None:
    assert judged(replace(fronts(told={}, code=6), lines={}, journals={}, parts=())) == []


@pytest.mark.parametrize("state", ["skipped", "not_needed", "blocked", "refused"])
def test_an_effect_that_is_called_none(state: str) -> None:
    assert kinds(told("failed", four=state)) == {"lost"}


def test_an_effect_of_which_nothing_is_told() -> None:
    assert kinds(replace(told("not_begun"), fronts=fronts(told={HOST: Told("not_begun")}).fronts)) == {"lost"}


@pytest.mark.parametrize("state", ["unknown", "interrupted", "failed"])
def test_an_effect_of_which_the_end_was_not_seen(state: str) -> None:
    assert judged(told("unknown", four=state)) == []


@pytest.mark.parametrize("gone", [1, 2])
def test_a_step_that_is_called_done_and_was_not(gone: int) -> None:
    assert kinds(replace(SOUND, lines={HOST: WHOLE[:-gone]})) == {"invented"}


def test_a_step_that_only_a_lost_journal_calls_done() -> None:
    found = told("failed", four="skipped")
    found = replace(found, lines={HOST: WHOLE[:-2]}, journals={PART: {**found.journals[PART], "node-1": DONE}})
    assert kinds(found) == {"invented"}


def test_the_store_says_something_else() -> None:
    assert kinds(parts(outcome="resolved")) == {"disagree"}


def test_the_journal_says_something_else() -> None:
    assert kinds(replace(SOUND, journals={PART: {NODE: replace(DONE, outcome="resolved")}})) == {"disagree"}


@pytest.mark.parametrize(
    "journals", [{}, {"node-1": replace(DONE, outcome="")}, {"node-1": replace(DONE, outcome="resolved")}]
)
def test_no_journal_has_the_end(journals: dict[str, Told]) -> None:
    assert kinds(replace(SOUND, journals={PART: journals})) == {"disagree"}


def test_the_node_that_ended_it_only_gave_back_the_lock_of_another_one() -> None:
    assert judged(replace(SOUND, journals={PART: {"node-1": DONE, NODE: replace(DONE, outcome="", steps={})}})) == []


def test_what_was_refused_before_a_journal_was_begun() -> None:
    found = replace(parts(outcome="refused"), fronts=fronts(told={HOST: Told("refused")}).fronts)
    assert judged(replace(found, journals={}, lines={})) == []


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_part_without_an_end(state: str) -> None:
    assert kinds(parts(state=state)) == {"unfinished"}


def test_a_job_that_stays_in_the_queue() -> None:
    assert kinds(replace(SOUND, jobs=1)) == {"unfinished"}


def test_a_journal_that_was_changed() -> None:
    assert kinds(replace(SOUND, audits={NODE: ("run part-a: changed",)})) == {"audit"}


@pytest.mark.parametrize("name", [f"memrunbook.lock {PART} root@vm", f"memrunbook-{PART}.started", "memrunbook.lock x"])
def test_a_lock_or_a_mark_of_a_run_that_left_nothing_open(name: str) -> None:
    assert kinds(replace(SOUND, left={HOST: (name,)})) == {"left"}


def test_a_mark_of_a_run_that_somebody_must_look_at() -> None:
    found = replace(told("unknown", four="unknown"), left={HOST: (f"memrunbook-{PART}.started",)})
    assert judged(found) == []
