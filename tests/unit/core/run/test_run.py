"""The life of a run: what is asked in which order, what ends it, and that nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.scripted import Scripted, at, kinds, only, run, states
from tests.lab.small import Hold, Holds, runbook, step
from tests.lab.worlds import Run, follow

from memrunbook.core.errors import Interrupted, Refused, RunbookError, SessionLost
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.rules import HostRules
from memrunbook.core.run.cut_off import is_unproven
from memrunbook.core.run.event import Diagnosed, RunFinished, StillHeld
from memrunbook.core.run.record import Recorded, plain
from memrunbook.core.run.request import AskApproval, Done, Failed, Lock, ReadFacts, Unknown, Wait
from memrunbook.core.runbook.spec import Sampling, VerifySpec
from memrunbook.core.units import Duration

SHORT, WELL, BLIND = at(5.0), at(50.0), at(None)
LOST = SessionLost("the line is dead", hint="look at the host")


def waits(played: Run) -> list[float]:
    return [told.request.seconds for told in played.told if isinstance(told.request, Wait)]


def test_an_incident_that_is_resolved_by_the_first_step() -> None:
    book = runbook(step("one"), step("two"))
    played = run(book, SHORT, SHORT, WELL)
    assert kinds(played) == ["ReadFacts", "Lock", "AskApproval", "ReadFacts", "Execute", "ReadFacts", "Unlock"]
    assert states(played) == [("one", "done"), ("two", "not_needed")]
    assert played.finished[1].why == "resolved after step one"
    assert (played.end.outcome, played.end.why) == ("resolved", "resolved after step one")
    assert played.end.signals == {"memory.available_percent": 50.0}


def test_until_something_is_changed_readings_take_the_runbooks_samples_and_later_ones_a_pair() -> None:
    book = runbook(step())
    played = run(book, SHORT, SHORT, WELL)
    reads = [told.request for told in played.told if isinstance(told.request, ReadFacts)]
    assert [(read.count, read.every) for read in reads] == [(3, 5.0), (3, 5.0), (2, 5.0)]
    assert {read.facts for read in reads} == {("holds", "host", "memory", "pressure", "units", "vmstat")}
    assert [read.why for read in reads] == ["diagnosis", "after the gate", "verify act"]


def test_a_watch_is_the_first_reading_alone() -> None:
    played = follow(runbook(step()), Scripted([SHORT, SHORT, WELL]), Sampling(31, Duration(10)))
    reads = [told.request for told in played.told if isinstance(told.request, ReadFacts)]
    assert [(read.count, read.every) for read in reads] == [(31, 10.0), (3, 5.0), (2, 5.0)]
    assert reads[0].why == "watched before the diagnosis"


def test_what_was_judged_by_a_watch_is_over_by_a_watch() -> None:
    book = runbook(step("one"), step("two"), count=13)
    played = run(book, SHORT, SHORT, WELL)
    reads = [told.request for told in played.told if isinstance(told.request, ReadFacts)]
    assert [(read.count, read.why) for read in reads] == [
        (13, "diagnosis"),
        (13, "after the gate"),
        (2, "verify one"),
        (13, "is it resolved?"),
    ]
    assert states(played) == [("one", "done"), ("two", "not_needed")]
    assert played.end.outcome == "resolved"


def test_a_watch_that_was_cut_short_is_never_taken_for_the_end_of_the_incident() -> None:
    book = runbook(step("one"), step("two"), count=13)
    played = run(book, SHORT, SHORT, WELL, cut={4: 7, 5: 7, 6: 7})
    assert states(played) == [("one", "done"), ("two", "blocked")]
    assert played.finished[1].why == "it is unknown whether the incident applies"
    assert played.end.outcome == "unresolved"


def test_a_host_that_could_not_be_watched_is_not_called_healthy() -> None:
    look = step("look", values={"kind": "read", "risk": 0})
    played = run(runbook(look, step("act"), count=13), WELL, cut={1: 3, 2: 3, 3: 3})
    assert states(played) == [("look", "done"), ("act", "blocked")]
    assert (played.end.outcome, "watch was cut short" in played.end.why) == ("unknown", True)
    assert "Lock" not in kinds(played)


def test_what_a_short_watch_did_not_show_may_still_be_there() -> None:
    book = runbook(step(for_each="units.growing"), count=13)
    played = run(book, SHORT, cut={1: 3})
    assert (only(played).state, "watch was cut short" in only(played).why) == ("blocked", True)
    assert only(run(book, SHORT)).why.startswith("no growing service: ")


def test_what_the_run_began_with_is_recorded_first() -> None:
    book = runbook(step())
    played = run(book, SHORT)
    begun = played.events[0]
    assert isinstance(begun, Diagnosed)
    assert begun.plan == make_plan(book, played.told[0].answer)
    assert begun.diagnosis.incident.holds
    assert begun.signals == {"memory.available_percent": 5.0}


def test_a_healthy_host_is_left_alone() -> None:
    played = run(runbook(step()), WELL)
    assert kinds(played) == ["ReadFacts"]
    assert (played.end.outcome, played.end.why) == ("healthy", "the incident does not apply")
    assert played.finished == []


def test_an_unknown_incident_only_lets_evidence_run() -> None:
    book = runbook(step("look", values={"kind": "read", "risk": 0}), step("act"))
    played = run(book, BLIND)
    assert states(played) == [("look", "done"), ("act", "blocked")]
    assert "Lock" not in kinds(played)
    assert "Unlock" not in kinds(played)
    assert played.end.outcome == "unknown"
    assert "memory.available_percent" in played.end.why or "short is unknown" in played.end.why


def test_an_unknown_incident_that_turns_out_to_be_over_needs_nothing() -> None:
    book = runbook(step("look", values={"kind": "read", "risk": 0}), step("more", values={"kind": "read", "risk": 0}))
    played = run(book, BLIND, WELL)
    assert states(played) == [("look", "done"), ("more", "not_needed")]
    assert played.end.outcome == "unknown"


def test_an_incident_that_becomes_unknown_at_the_gate_blocks() -> None:
    played = run(runbook(step()), SHORT, BLIND)
    assert (only(played).state, only(played).why) == ("blocked", "it is unknown whether the incident applies")
    assert played.executed == []
    assert played.end.outcome == "unresolved"


def test_once_something_was_changed_the_ladder_goes_on_until_it_is_resolved() -> None:
    book = runbook(step("one"), step("two"), resolved="memory.available_percent > 60.0")
    played = run(book, SHORT, SHORT, at(20.0), at(20.0), at(70.0))
    assert states(played) == [("one", "done"), ("two", "done")]
    assert (played.end.outcome, played.end.why) == ("resolved", "resolved after step two")


def test_resolved_compares_with_the_first_snapshot() -> None:
    book = runbook(step(), resolved="memory.available_percent > before.memory.available_percent + 10.0")
    assert run(book, SHORT, SHORT, at(12.0)).end.outcome == "improved"
    assert run(book, SHORT, SHORT, at(16.0)).end.outcome == "resolved"


def test_resolved_must_hold() -> None:
    book = runbook(step("one"), step("two", when="false"), resolved="memory.available_percent > 30.0", hold=12.0)
    held = run(book, SHORT, SHORT, WELL)
    assert held.end.outcome == "resolved"
    assert waits(held) == [5.0, 5.0]
    relapsed = run(book, SHORT, SHORT, WELL, WELL, SHORT)
    assert states(relapsed) == [("one", "done"), ("two", "not_needed")]
    assert relapsed.finished[1].why == "not wanted: false"
    assert relapsed.end.outcome == "unresolved"
    exactly = runbook(step(), resolved="memory.available_percent > 30.0", hold=6.0)
    assert waits(run(exactly, SHORT, SHORT, WELL)) == [5.0]


def test_what_is_asked_about_the_end_says_why() -> None:
    book = runbook(step(verify=VerifySpec("true", hold=Duration(1))), resolved="host.supported || true", hold=6.0)
    whys = [told.request.why for told in run(book, SHORT).told if isinstance(told.request, ReadFacts | Wait)]
    assert whys[-2:] == ["does it stay resolved?", "does it stay resolved?"]
    declined = run(runbook(step()), SHORT, answers=["no"])
    assert [told.request.why for told in declined.told if isinstance(told.request, ReadFacts)][-1] == "is it resolved?"


def test_an_end_that_is_unknown_is_no_end() -> None:
    book = runbook(step("one"), step("two"))
    played = run(book, SHORT, SHORT, BLIND)
    assert played.end.outcome == "unresolved"
    assert states(played)[0] == ("one", "done")


def test_the_end_is_not_asked_for_before_anything_was_changed() -> None:
    book = runbook(step("one", when="false"), step("two", when="false"), resolved="true")
    played = run(book, SHORT)
    assert states(played) == [("one", "not_needed"), ("two", "not_needed")]
    assert played.end.outcome == "resolved"


@pytest.mark.parametrize(("end", "outcome"), [(Failed, "failed"), (Unknown, "failed"), (Done, "unresolved")])
def test_what_a_run_comes_to_depends_on_its_steps(end: Any, outcome: str) -> None:
    assert run(runbook(step()), SHORT, ends=[end]).end.outcome == outcome


def test_an_open_once_only_effect_is_an_unknown_outcome() -> None:
    book = runbook(step("one", values={"kind": "once"}), step("two"))
    played = run(book, SHORT, SHORT, WELL, ends=[Unknown])
    assert states(played) == [("one", "unknown"), ("two", "skipped")]
    assert played.finished[0].open
    assert played.finished[1].why == "the outcome of step one is unknown"
    assert played.end.outcome == "unknown"


def test_a_failure_stops_the_run() -> None:
    book = runbook(step("one"), step("two"))
    played = run(book, SHORT, ends=[Failed])
    assert states(played) == [("one", "failed"), ("two", "skipped")]
    assert played.finished[1].why == played.end.why == "step one failed"
    assert played.end.outcome == "failed"


def test_a_failure_may_be_passed_over() -> None:
    book = runbook(step("one", on_failure="continue"), step("two"))
    played = run(book, SHORT, ends=[Failed])
    assert states(played) == [("one", "failed"), ("two", "failed")]


def test_who_declined_all_has_not_resolved_what_still_applies() -> None:
    """Though a careless `resolved` holds from the start; once something was done, the author's word counts."""
    careless = runbook(step("one"), step("two"), resolved="memory.available_percent > 1.0")
    assert run(careless, SHORT, answers=["no"]).end.outcome == "refused"
    assert run(careless, SHORT, WELL, answers=["no"]).end.outcome == "resolved"


def test_a_refusal_stops_the_run() -> None:
    played = run(runbook(step("one"), step("two")), SHORT, answers=["no"])
    assert states(played) == [("one", "refused"), ("two", "skipped")]
    assert played.end.outcome == "refused"
    assert kinds(played)[-1] == "Unlock"


def test_a_taken_back_change_has_failed() -> None:
    played = run(runbook(step(values={"undo": "auto"})), SHORT, ends=[Failed, Done])
    assert states(played) == [("act", "undone")]
    assert played.end.outcome == "failed"


def test_items_are_steps_of_their_own_and_resolved_is_tested_after_each() -> None:
    book = runbook(step(for_each="units.all", limit=3, values={"unit": "= item.name"}))
    three = {"memory": SHORT["memory"], "units": at(5.0, "web", "db", "cron")["units"]}
    well = {**three, "memory": WELL["memory"]}
    played = run(book, three, three, three, three, well)
    assert states(played) == [("act/web", "done"), ("act/db", "done"), ("act/cron", "not_needed")]
    assert played.finished[2].why == "resolved after step act"


def test_an_item_that_is_gone_when_its_turn_comes_is_not_needed() -> None:
    book = runbook(step(for_each="units.all", limit=2, values={"unit": "= item.name"}))
    both, first = at(5.0, "web", "db"), at(5.0, "web")
    played = run(book, both, both, first)
    assert states(played) == [("act/web", "done"), ("act/db", "not_needed")]
    assert played.finished[1].why == "db no longer matches"


def test_a_failure_ends_the_remaining_items() -> None:
    book = runbook(step(for_each="units.all", limit=3, values={"unit": "= item.name"}))
    played = run(book, at(5.0, "web", "db", "cron"), ends=[Failed])
    assert states(played) == [("act/web", "failed"), ("act/db", "skipped"), ("act/cron", "skipped")]


def test_items_that_are_unknown_or_none() -> None:
    book = runbook(step("a", for_each="units.all"), step("b", for_each="units.growing"))
    unknown = {**SHORT, "units": Unavailable("denied", "permission denied")}
    played = run(book, unknown)
    assert [(event.state, event.item, event.why) for event in played.finished] == [
        ("blocked", "", "its items are unknown: units.all: permission denied"),
        ("blocked", "", "its items are unknown: units.growing: permission denied"),
    ]
    none = run(runbook(step("b", for_each="units.growing")), SHORT)
    assert (only(none).item, only(none).why[:19]) == ("", "no growing service:")
    assert only(none).state == "not_needed"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(LOST, "unreachable"), (Interrupted(), "interrupted"), (Refused("no entry"), "refused")],
)
def test_a_host_that_cannot_even_be_read(error: RunbookError, outcome: str) -> None:
    played = run(runbook(step()), SHORT, trouble={("ReadFacts", 1): error})
    assert kinds(played) == ["ReadFacts"]
    assert (played.end.outcome, played.end.why, played.end.hint) == (outcome, str(error), error.hint)
    assert played.events == [played.end]


def test_a_refused_lock_ends_the_run_before_it_begins() -> None:
    played = run(runbook(step("one"), step("two")), SHORT, trouble={("Lock", 1): Refused("another run is at work")})
    assert states(played) == [("one", "skipped"), ("two", "skipped")]
    assert played.finished[0].why == "not reached: the run was refused"
    assert played.end.why == "another run is at work"
    assert played.end.outcome == "refused"
    assert kinds(played) == ["ReadFacts", "Lock"]


def test_a_line_that_breaks_at_the_gate_has_changed_nothing() -> None:
    played = run(runbook(step("one"), step("two")), SHORT, trouble={("ReadFacts", 2): LOST})
    assert states(played) == [("one", "interrupted"), ("two", "skipped")]
    assert played.finished[0].why == "nothing was changed: the line is dead"
    assert (played.end.outcome, played.end.why, played.end.hint) == ("unreachable", "the line is dead", LOST.hint)
    assert kinds(played)[-1] == "Unlock"


@pytest.mark.parametrize(("error", "state"), [(LOST, "unknown"), (Interrupted(), "interrupted")])
def test_a_line_that_breaks_after_the_change_has_not_proven_it(error: RunbookError, state: str) -> None:
    played = run(runbook(step("one"), step("two")), SHORT, trouble={("ReadFacts", 3): error})
    assert states(played) == [("one", state), ("two", "skipped")]
    assert played.finished[0].why == f"carried out, but not proven: {error}"
    assert not played.finished[0].open
    assert is_unproven(plain(Recorded(played.finished[0]))["record"]), (
        "whoever comes next proves it, or does not repeat it"
    )
    assert kinds(played)[-1] == "Unlock"


def test_a_step_after_a_change_that_is_cut_off_at_its_gate_has_itself_changed_nothing() -> None:
    book = runbook(step("one"), step("two"), resolved="false")
    played = run(book, SHORT, trouble={("AskApproval", 2): Interrupted()})
    assert states(played) == [("one", "done"), ("two", "interrupted")]
    assert played.finished[1].why == "nothing was changed: Interrupted."


def test_what_is_open_stays_unknown_when_the_line_breaks_later() -> None:
    book = runbook(step("one", values={"kind": "once"}), step("two"))
    played = run(book, SHORT, ends=[Unknown], trouble={("ReadFacts", 3): LOST})
    assert states(played) == [("one", "unknown"), ("two", "skipped")]
    assert played.end.outcome == "unknown"


def test_items_not_begun_are_not_lost_when_the_run_is_cut_short() -> None:
    book = runbook(step(for_each="units.all", limit=3, values={"unit": "= item.name"}), step("last"))
    three = at(5.0, "web", "db", "cron")
    played = run(book, three, trouble={("AskApproval", 2): Interrupted()})
    assert states(played) == [
        ("act/web", "done"),
        ("act/db", "interrupted"),
        ("act/cron", "skipped"),
        ("last", "skipped"),
    ]


def test_a_lock_that_cannot_be_given_back_ends_nothing_twice() -> None:
    for error in (LOST, Interrupted(), Refused()):
        played = run(runbook(step()), SHORT, SHORT, WELL, trouble={("Unlock", 1): error})
        assert [type(event) for event in played.events].count(RunFinished) == 1
        assert played.end.outcome == "resolved"
        again = run(runbook(step()), SHORT, trouble={("AskApproval", 1): Interrupted(), ("Unlock", 1): error})
        assert again.end.outcome == "interrupted"


def test_a_rule_refuses_its_step_alone_and_is_the_reason_that_is_told() -> None:
    rules = HostRules((), "low", "config.yaml:3 says that run goes up to risk low here", "act by hand")
    risky = step("one", values={"risk": 2})
    played = run(runbook(risky, step("two"), resolved="memory.available_percent > 99.0"), SHORT, rules=rules)
    assert states(played) == [("one", "refused"), ("two", "done")]
    first = played.finished[0]
    why = "config.yaml:3 says that run goes up to risk low here: this is of risk medium"
    assert (first.why, first.hint, first.rule) == (why, "act by hand", True)
    assert (played.end.outcome, played.end.why) == ("refused", why)


def test_a_refusal_from_outside_gives_the_lock_back() -> None:
    played = run(runbook(step()), SHORT, trouble={("AskApproval", 1): Refused("who are you")})
    assert states(played) == [("act", "refused")]
    assert played.end.outcome == "refused"
    assert kinds(played)[-1] == "Unlock"


def test_the_lock_is_taken_before_the_first_question() -> None:
    asked = [told.request for told in run(runbook(step()), SHORT).told]
    lock = next(n for n, request in enumerate(asked) if isinstance(request, Lock))
    assert lock < next(n for n, request in enumerate(asked) if isinstance(request, AskApproval))


FROZEN = {"holds": Holds(all=(Hold(name="web"),))}


@pytest.mark.parametrize("percent", [5.0, 50.0])
def test_what_is_held_at_the_end_is_recorded_whatever_the_end(percent: float) -> None:
    played = run(runbook(step()), {**at(percent), **FROZEN})
    held = [event for event in played.events if isinstance(event, StillHeld)]
    assert [event.held for event in held] == [
        ("web is frozen and does nothing, by run R1 of lab 72 s ago; the host thaws it in 4 min",)
    ]
    assert held[0].told.startswith("held on this host now: web is frozen")
    assert played.events[-1] is played.end


def test_what_is_held_is_recorded_by_a_run_that_is_cut_short_too() -> None:
    host = Scripted([{**SHORT, **FROZEN}], trouble={("AskApproval", 1): LOST})
    played = follow(runbook(step()), host)
    assert played.end.outcome == "unreachable"
    assert any(isinstance(event, StillHeld) for event in played.events)


def test_where_nothing_is_held_nothing_is_said() -> None:
    played = run(runbook(step()), SHORT, SHORT, WELL)
    assert not any(isinstance(event, StillHeld) for event in played.events)
