"""An ending that a lost host or a person forced on a run is left out where the run went on, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.run.cut_off import NOT_REACHED, UNANSWERED, UNPROVEN, is_unproven, without_endings

ASKED = {"event": "asked", "request": {"type": "Execute"}}
READ = {"event": "asked", "request": {"type": "ReadFacts"}}
UNLOCK = {"event": "asked", "request": {"type": "Unlock"}}
ANSWERED = {"event": "answered", "answer": {"type": "Waited"}}


def step(state: str, **more: Any) -> dict[str, Any]:
    return {"event": "recorded", "record": {"type": "step-finished", "id": "act", "state": state, **more}}


def end(outcome: str) -> dict[str, Any]:
    return {"event": "recorded", "record": {"type": "run-finished", "outcome": outcome}}


DONE, OPEN, LEFT = step("done"), step("unknown", open=True), step("unknown", left=True)
SKIPPED, CHOSEN = step("skipped", why=f"{NOT_REACHED}lost"), step("skipped", why="skipped at the gate")
ENDINGS = [
    [OPEN, SKIPPED, end("unknown")],
    [LEFT, SKIPPED, end("unreachable")],
    [step("interrupted"), end("unreachable")],
    [SKIPPED, end("unreachable")],
    [end("unreachable")],
    [step("interrupted", left=True), step("skipped", why=f"{NOT_REACHED}a person asked to stop"), end("interrupted")],
    [step("interrupted"), end("interrupted")],
    [end("interrupted")],
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_is_left_out_where_something_follows_or_it_is_gone_on_with(ending: list[Any]) -> None:
    told = [READ, ASKED, DONE, CHOSEN, *ending]
    assert without_endings(told) == told
    assert without_endings(told, the_last=True) == [READ, ASKED, DONE, CHOSEN]
    assert without_endings([*told, READ, DONE]) == [READ, ASKED, DONE, CHOSEN, READ, DONE]
    again = [*told, READ, *ending]
    assert without_endings(again) == [READ, ASKED, DONE, CHOSEN, READ, *ending]
    assert without_endings(again, the_last=True) == [READ, ASKED, DONE, CHOSEN, READ]


def test_the_lock_that_is_given_back_belongs_to_the_ending() -> None:
    told = [READ, OPEN, end("unknown"), UNLOCK, ANSWERED]
    assert without_endings(told) == told
    assert without_endings(told, the_last=True) == [READ]
    assert without_endings([*told, OPEN, end("unknown")]) == [READ, OPEN, end("unknown")], "it was not reached again"


@pytest.mark.parametrize(
    ("ended", "unproven"),
    [
        (step("interrupted", left=True), True),
        (step("unknown", left=True, why=f"{UNPROVEN}: the connection was lost"), True),
        (LEFT, False),
        (step("unknown", why=f"{UNPROVEN}: its beginning cannot be made out"), False),
        (step("interrupted"), False),
        (step("executed", left=True), False),
    ],
)
def test_what_was_carried_out_and_lost_before_its_proof_is_unproven(ended: Any, *, unproven: bool) -> None:
    assert is_unproven(ended["record"]) is unproven


@pytest.mark.parametrize("outcome", ["resolved", "refused", "failed", "improved", "healthy"])
def test_what_the_run_decided_itself_stays(outcome: str) -> None:
    told = [READ, DONE, step("skipped", why="step act was refused"), end(outcome)]
    assert without_endings([*told, UNLOCK, ANSWERED], the_last=True) == [*told, UNLOCK, ANSWERED]
    assert without_endings([READ, OPEN, end(outcome)], the_last=True) == [READ, OPEN, end(outcome)]


def test_one_that_was_cut_off_in_its_ending_is_gone_on_with_from_there() -> None:
    assert without_endings([READ, DONE, OPEN], the_last=True) == [READ, DONE]


FIRST = {**READ, "invocation": "a"}
GATE = {"event": "asked", "request": {"type": "AskApproval"}}
STARTED = {"event": "answered", "answer": {"type": "Done"}}
WORK = [GATE, READ, ASKED, STARTED, READ, DONE]


@pytest.mark.parametrize("ending", [one for one in ENDINGS if len(one) > 1])
def test_half_an_ending_hides_nothing_of_what_was_done_behind_it(ending: list[Any]) -> None:
    """A command that is under way behind it would be carried out once more."""
    for length in range(1, len(ending)):
        told = [FIRST, *WORK, *ending[:length], FIRST, GATE, ASKED, STARTED]
        kept = [FIRST, *WORK, FIRST, GATE, ASKED, STARTED]
        assert without_endings(told, the_last=True) == kept
        assert without_endings(told) == kept
        assert without_endings([*told, *ending], the_last=True) == kept


@pytest.mark.parametrize("went_on", [[GATE], [ASKED, STARTED], [DONE], [READ, GATE, ASKED]])
def test_a_step_like_an_ending_behind_which_the_same_run_went_on_is_none(went_on: list[Any]) -> None:
    told = [FIRST, *WORK, LEFT, *went_on]
    assert without_endings(told, the_last=True) == told
    assert without_endings([*told, FIRST, DONE], the_last=True) == [*told, FIRST, DONE]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([[], *ENDINGS]), st.integers(0, 4)), min_size=1))
def test_of_any_attempts_all_the_work_stays_and_no_ending(attempts: list[tuple[int, list[Any], int]]) -> None:
    told, kept = list[Any](), list[Any]()
    for steps, ending, cut in attempts:
        work = [{**FIRST, "invocation": str(len(told) + 1)}, *(WORK * steps)]
        told += [
            *work,
            *ending[: len(ending) - cut if cut < len(ending) else 0],
            *([UNLOCK, ANSWERED] if not cut else []),
        ]
        kept += work
    assert [one for one in without_endings(told, the_last=True) if one not in (UNLOCK, ANSWERED)] == kept
    assert without_endings([], the_last=True) == []


def test_a_refusal_that_nobody_was_there_to_give_is_asked_again_and_a_person_s_no_is_not() -> None:
    nobody = [DONE, step("refused", why=UNANSWERED), step("skipped", why="step act was refused"), end("refused")]
    said_no = [DONE, step("refused", why="declined at the gate"), end("refused")]
    assert without_endings(nobody) == nobody
    assert without_endings(nobody, the_last=True) == [DONE]
    assert without_endings([*nobody, READ, DONE]) == [DONE, READ, DONE]
    assert without_endings(said_no, the_last=True) == said_no
