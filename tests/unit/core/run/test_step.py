"""The life of one step: what is asked at its gate, and what passes it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.scripted import Readings, at, kinds, only, run, states
from tests.lab.small import Service, Units, runbook, step
from tests.lab.worlds import Run

from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Approval, AskApproval, ReadFacts

SHORT, WELL = at(5.0), at(50.0)


def with_pid(pid: int, percent: float = 5.0) -> Readings:
    return {**at(percent), "units": Units(all=(Service(name="web", main_pid=pid),))}


def questions(played: Run) -> list[AskApproval]:
    return [told.request for told in played.told if isinstance(told.request, AskApproval)]


def said(asked: AskApproval) -> dict[str, list[str]]:
    return {title: [line.metric for line in lines] for title, lines in asked.evidence}


def test_a_question_shows_the_step_what_it_rests_on_and_from_when() -> None:
    book = runbook(step(when="memory.available_percent < 9.0 || memory.available_bytes > 1"))
    played = run(book, SHORT)
    (asked,) = questions(played)
    assert asked.step.label == "act"
    assert asked.step.gate
    assert asked.snapshot_at == played.told[0].answer.taken_at
    assert said(asked) == {
        "Memory is short": ["memory.available_percent"],
        "the step's own condition": ["memory.available_percent", "memory.available_bytes"],
    }
    assert asked.changed == ""


def test_only_what_fires_speaks_for_a_step() -> None:
    book = runbook(step(), incident="!checks.short")
    (asked,) = questions(run(book, WELL))
    assert asked.evidence == ()


def test_a_watch_that_was_cut_short_behind_a_gate_is_no_recovery() -> None:
    book = runbook(step(), count=13)
    cut = only(run(book, SHORT, WELL, cut={2: 2}))
    assert (cut.state, cut.why) == ("blocked", "it is unknown whether the incident applies")
    seen = only(run(book, SHORT, WELL))
    assert (seen.state, seen.why) == ("not_needed", "the incident no longer applies: it recovered meanwhile")


def test_the_item_speaks_too() -> None:
    book = runbook(
        step(for_each="units.all", when="size(item.name) > 0 && size(units.all) > 0", values={"unit": "= item.name"})
    )
    (asked,) = questions(run(book, SHORT))
    assert said(asked)["the step's own condition"] == ["units.all"]
    assert said(asked)["web"] == ["main_pid", "bytes"]


def test_a_harmless_step_asks_nobody() -> None:
    played = run(runbook(step(values={"kind": "read", "risk": 0})), SHORT)
    assert kinds(played) == ["ReadFacts", "Lock", "Execute", "ReadFacts", "Unlock"]


def test_a_harmless_step_may_want_a_gate() -> None:
    played = run(runbook(step(values={"kind": "read", "risk": 0}, confirm="always")), SHORT)
    assert "AskApproval" in kinds(played)


@pytest.mark.parametrize(
    ("answer", "state", "why", "rest"),
    [
        ("no", "refused", "declined at the gate", "skipped"),
        ("quit", "refused", "declined at the gate", "skipped"),
        ("quit-all", "refused", "declined at the gate", "skipped"),
        ("skip", "skipped", "skipped at the gate", "done"),
        (Approval(Instant(0, 0), "no", why="too late at night"), "refused", "too late at night", "skipped"),
        (Approval(Instant(0, 0), "skip", why="not here"), "skipped", "not here", "done"),
        (
            Approval(Instant(0, 0), "yes", "of another"),
            "refused",
            "the answer was for another change than the one that was shown",
            "skipped",
        ),
        (Approval(Instant(0, 0), "yes", ""), "refused", "the answer was for another change than", "skipped"),
    ],
)
def test_only_a_yes_for_exactly_this_digest_passes(answer: Any, state: str, why: str, rest: str) -> None:
    book = runbook(step("one"), step("two"))
    played = run(book, SHORT, answers=[answer, "yes"])
    assert states(played) == [("one", state), ("two", rest)]
    assert played.finished[0].why.startswith(why)
    assert rest != "skipped" or played.finished[1].why == "step one was refused"


@pytest.mark.parametrize(("answer", "state"), [("skip", "skipped"), ("no", "refused")])
def test_a_declined_item_is_recorded_under_its_name(answer: str, state: str) -> None:
    book = runbook(step(for_each="units.all", values={"unit": "= item.name"}))
    assert states(run(book, SHORT, answers=[answer])) == [("act/web", state)]


def test_what_recovered_is_recorded_under_the_items_name() -> None:
    book = runbook(step(for_each="units.all", values={"unit": "= item.name"}))
    assert states(run(book, SHORT, WELL)) == [("act/web", "not_needed")]


def test_the_next_item_is_decided_on_a_reading_of_its_own() -> None:
    book = runbook(step(for_each="units.all", limit=2, values={"unit": "= item.name"}))
    played = run(book, at(5.0, "web", "db"), answers=["skip"])
    assert [told.request.why for told in played.told if isinstance(told.request, ReadFacts)][1] == "before the step"


def test_a_condition_on_the_item_speaks_for_it() -> None:
    wanted = 'item.name == "web" || memory.available_percent < 1.0'
    book = runbook(step(for_each="units.all", when=wanted, values={"unit": "= item.name"}))
    (asked,) = questions(run(book, SHORT))
    assert said(asked)["the step's own condition"] == ["memory.available_percent"]


def test_a_host_that_moved_on_is_recorded_under_the_items_name() -> None:
    book = runbook(step(for_each="units.all", values={"unit": "= item.name"}))
    assert states(run(book, with_pid(100), with_pid(101), how="--yes")) == [("act/web", "refused")]


def test_what_is_read_says_why() -> None:
    book = runbook(step("one"), step("two"), resolved="false")
    why = [told.request.why for told in run(book, SHORT).told if isinstance(told.request, ReadFacts)]
    assert why == [
        "diagnosis",
        "after the gate",
        "verify one",
        "after the gate",
        "verify two",
    ]
    skipped = run(runbook(step("one"), step("two", when="false")), SHORT, answers=["skip"])
    assert [told.request.why for told in skipped.told if isinstance(told.request, ReadFacts)][1] == "before the step"


def test_after_a_skipped_gate_the_host_is_read_again() -> None:
    book = runbook(step("one"), step("two"))
    played = run(book, SHORT, WELL, answers=["skip"])
    assert states(played) == [("one", "skipped"), ("two", "not_needed")]
    assert played.finished[1].why == "the incident no longer applies: it recovered meanwhile"


def test_what_recovered_while_the_question_was_open_is_not_needed() -> None:
    played = run(runbook(step()), SHORT, WELL)
    assert (only(played).state, only(played).why) == (
        "not_needed",
        "the incident no longer applies: it recovered meanwhile",
    )
    assert played.executed == []
    assert played.end.outcome == "resolved"


def test_what_is_blocked_by_now_is_not_carried_out() -> None:
    book = runbook(step(guard="memory.available_percent > 3.0"))
    played = run(book, SHORT, at(2.0))
    assert (only(played).state, only(played).hint) == ("blocked", "it runs when memory.available_percent > 3.0")
    assert played.executed == []


def test_a_target_that_is_another_one_by_now_is_asked_for_again() -> None:
    played = run(runbook(step()), with_pid(100), with_pid(101), with_pid(101), with_pid(101, 50.0))
    first, second = questions(played)
    assert second.changed == "it was: Adjust web (web 100); now it would be: Adjust web (web 101)"
    assert first.step.digest != second.step.digest
    ((_, executed),) = played.executed
    assert executed.change.identity == "web 101"
    assert only(played).state == "done"


def test_a_target_that_never_rests_is_refused_in_the_end() -> None:
    played = run(runbook(step()), *(with_pid(pid) for pid in range(100, 110)))
    assert len(questions(played)) == 3
    assert only(played).state == "refused"
    assert only(played).why == (
        "the host moved on after the answer: it was: Adjust web (web 102); now it would be: Adjust web (web 103)"
    )
    assert played.executed == []
    assert (played.end.outcome, played.end.why) == ("refused", "step act was refused")


def test_nobody_at_a_terminal_is_not_asked_again() -> None:
    played = run(runbook(step("one"), step("two")), with_pid(100), with_pid(101), how="--yes")
    assert len(questions(played)) == 1
    assert states(played) == [("one", "refused"), ("two", "skipped")]


def test_only_the_approved_target_is_touched_when_another_one_grew_beyond_it() -> None:
    book = runbook(step(for_each="units.all", limit=1, values={"unit": "= item.name"}))
    played = run(book, at(5.0, "web", "db"), at(5.0, "db", "web"))
    ((_, executed),) = played.executed
    assert (executed.step, executed.change.target) == ("act/web", "web")


def test_a_computed_value_is_carried_over_the_gate() -> None:
    book = runbook(step(values={"goal": "= units.all[0].bytes"}))
    before, after = ({**at(5.0), "units": Units(all=(Service(name="web", bytes=size),))} for size in (1000, 2000))
    played = run(book, before, after)
    ((_, executed),) = played.executed
    assert executed.change.args == ("web", "1000")


def test_a_value_that_cannot_be_computed_blocks() -> None:
    played = run(runbook(step(values={"goal": "= memory.available_bytes"})), SHORT)
    assert only(played).state == "blocked"
    assert only(played).why.startswith("goal is unknown")


def test_a_first_item_that_vanished_before_its_turn() -> None:
    book = runbook(step("one"), step("two", for_each="units.all", values={"unit": "= item.name"}), resolved="false")
    played = run(book, at(5.0), at(5.0), at(5.0), at(5.0))
    assert states(played) == [("one", "done"), ("two/web", "done")]


def test_a_step_takes_from_its_decision_to_its_end() -> None:
    played = run(runbook(step()), SHORT)
    # One second each for the question, the reading after it, the command and the reading that proves it.
    assert only(played).seconds == 4.0


def test_what_a_short_watch_does_not_want_may_still_be_wanted() -> None:
    book = runbook(step(when="memory.available_percent > 90.0"), count=13)
    cut = only(run(book, SHORT, cut=dict.fromkeys(range(4), 2)))
    assert (cut.state, "watch was cut short" in cut.why) == ("blocked", True)
    assert only(run(book, SHORT)).state == "not_needed"
