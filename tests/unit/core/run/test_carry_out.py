"""Carrying out: proven by fresh facts for as long as it must hold, tried again, looked for, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.lab.scripted import Readings, at, kinds, only, run, states
from tests.lab.small import MIB, FailedUnits, Full, Memory, Pressure, Service, Units, runbook, step
from tests.lab.worlds import Run

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Interrupted, Refused
from memrunbook.core.instant import Instant
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.run.request import Approval, AskApproval, Done, Execute, Failed, ReadFacts, Unknown, Wait
from memrunbook.core.runbook.spec import RetriesSpec, VerifySpec
from memrunbook.core.units import Duration

AT = Instant(1_700_000_000.0, 0.0)
SHORT, WELL, BLIND = at(5.0), at(50.0), at(None)
RETRIES = RetriesSpec(2, Duration(7))


def verify(that: str = "memory.available_percent > 30.0", within: float = 30, hold: float = 0) -> VerifySpec:
    return VerifySpec(that, Duration(within), Duration(hold))


def one(*reads: Readings, ends: Any = (Done,), values: dict[str, Any] | None = None, **spec: Any) -> Run:
    """A run of one step whose gate reads SHORT; `reads` follow the command. It is never resolved."""
    return run(runbook(step(values=values, **spec), resolved="false"), SHORT, SHORT, *reads, ends=ends)


def proofs(played: Run) -> list[ReadFacts]:
    found = [told.request for told in played.told if isinstance(told.request, ReadFacts)]
    return [request for request in found if request.why == "verify act"]


def commands(played: Run) -> list[bool]:
    """For each command whether it was an undo."""
    return [request.undo for _, request in played.executed]


def test_done_means_that_the_proof_was_seen() -> None:
    played = one(WELL, verify=verify())
    assert only(played).state == "done"
    assert len(proofs(played)) == 1
    assert (only(played).why, only(played).summary, only(played).action) == ("", "Adjust web", "adjust")
    assert (only(played).before, only(played).after) == (
        {"memory.available_percent": 5.0},
        {"memory.available_percent": 50.0},
    )


def room(mib: int | None, full: float | None = 30.0) -> Readings:
    """A host that is short of memory, and stays so."""
    size = None if mib is None else mib * MIB
    return {
        **SHORT,
        "memory": Memory(available_percent=5.0, available_bytes=size),
        "pressure": Pressure(full=Full(percent=full)),
    }


def moving(after: Readings, ends: Any = (Done,), **spec: Any) -> Run:
    book = runbook(step(action="mover", **spec), resolved="false")
    return run(book, room(100), room(100), after, ends=ends)


def test_a_step_keeps_the_runbooks_signals_and_what_its_action_should_move() -> None:
    end = only(moving(room(900)))
    assert list(end.before) == ["memory.available_percent", "memory.available_bytes", "pressure.full.percent"]
    assert (end.before["memory.available_bytes"], end.after["memory.available_bytes"]) == (100 * MIB, 900 * MIB)
    assert (end.state, end.effect) == ("done", "")


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_a_step_that_moved_nothing_says_so_however_it_ended(ends: str) -> None:
    that = verify("true" if ends == "done" else "false", within=1)
    end = only(moving(room(101, 30.5), verify=that))
    assert end.state == ends
    assert end.effect == (
        "did not move its signals: memory.available_bytes 100.0 MiB -> 101.0 MiB, "
        "pressure.full.percent 30.0 % -> 30.5 %"
    )


def test_what_moved_the_wrong_way_did_not_move_its_signal() -> None:
    assert only(moving(room(20))).effect.startswith("did not move its signals: ")
    assert only(moving(room(None, 2.0))).effect == ""
    assert only(moving(room(None, None))).effect.startswith("its effect cannot be told: ")


def test_without_moves_of_its_own_any_of_the_runbooks_signals_will_do() -> None:
    assert only(one(at(5.5))).effect == "did not move its signal: memory.available_percent 5.0 % -> 5.5 %"
    assert only(one(at(2.0))).effect == ""
    quiet = runbook(step(), resolved="false", signals=[])
    assert only(run(quiet, SHORT)).effect == ""


def test_what_did_not_run_to_its_end_has_no_effect_to_judge() -> None:
    broken = only(moving(room(100), ends=[Failed]))
    assert (broken.state, broken.effect, broken.after) == ("failed", "", {})
    looked = only(one(SHORT, values={"kind": "read"}))
    assert (looked.state, looked.effect, looked.after) == ("done", "", {})


def test_the_facts_of_what_should_move_are_read() -> None:
    assert step(action="mover").facts >= {"memory", "pressure"}
    assert "pressure" not in step().facts


def test_without_a_hold_everything_is_read_once_and_harm_is_judged_on_it() -> None:
    played = one(WELL, verify=verify())
    assert set(proofs(played)[0].facts) == {"holds", "host", "memory", "pressure", "units", "vmstat"}
    assert kinds(played) == ["ReadFacts", "Lock", "AskApproval", "ReadFacts", "Execute", "ReadFacts", "Unlock"]


def test_with_a_hold_only_what_the_proof_needs_is_read_until_the_end() -> None:
    played = one(WELL, verify=verify(hold=12))
    assert [set(request.facts) for request in proofs(played)] == [{"memory", "pressure", "vmstat"}] * 3
    assert [told.request.seconds for told in played.told if isinstance(told.request, Wait)] == [5.0, 5.0]
    assert only(played).state == "done"
    with_units = one(WELL, verify=verify("size(units.all) > 0", hold=1))
    assert set(proofs(with_units)[0].facts) == {"memory", "pressure", "units", "vmstat"}
    by_check = run(
        runbook(step(verify=verify("!checks.short", hold=1)), resolved="pressure.supported"), SHORT, SHORT, WELL
    )
    assert "memory" in proofs(by_check)[0].facts


def test_a_proof_that_looks_at_nothing_else_still_reads_what_its_check_needs() -> None:
    book = runbook(
        step(verify=verify("!checks.short", hold=1)), short="host.available_percent < 10.0", resolved="false"
    )
    host = {"host": SHORT["memory"], "units": SHORT["units"]}
    played = run(book, host, host, {**host, "host": WELL["memory"]})
    assert "host" in proofs(played)[0].facts
    assert only(played).state == "done"


def test_a_good_moment_is_no_proof() -> None:
    played = one(WELL, SHORT, WELL, WELL, WELL, verify=verify(within=60, hold=12))
    assert only(played).state == "done"
    assert len(proofs(played)) == 5


def test_a_hold_is_reached_at_its_very_second() -> None:
    assert len(proofs(one(WELL, verify=verify(hold=6)))) == 2
    assert len(proofs(one(WELL, verify=verify(hold=6.5)))) == 3


def test_what_does_not_hold_in_time_has_failed() -> None:
    played = one(SHORT, verify=verify(within=13))
    assert (only(played).state, only(played).why) == (
        "failed",
        "it did not hold within 13 s (it was never true): memory.available_percent > 30.0",
    )
    assert len(proofs(played)) == 3
    assert kinds(played)[-2:] == ["ReadFacts", "Unlock"]


def test_what_only_held_now_and_then_has_failed() -> None:
    played = one(WELL, SHORT, WELL, SHORT, verify=verify(within=15, hold=10))
    assert only(played).why == (
        "it did not hold for 10 s within 15 s (it was true for a moment): memory.available_percent > 30.0"
    )


def test_what_cannot_be_seen_is_not_proven() -> None:
    played = one(BLIND, verify=verify(within=5))
    assert only(played).why.startswith("it did not hold within 5.0 s (unknown: memory.available_percent: ")


def test_the_proof_compares_with_right_before_the_change() -> None:
    grew = verify("memory.available_percent > before.memory.available_percent", within=1)
    book = runbook(step(verify=grew), resolved="false")
    assert only(run(book, at(2.0), at(8.0), at(9.0))).state == "done"
    assert only(run(book, at(2.0), at(8.0), at(7.0))).state == "failed"


def test_the_proof_knows_item_and_target() -> None:
    that = verify('item.name == "web" && target == "web"')
    book = runbook(step(for_each="units.all", values={"unit": "= item.name"}, verify=that), resolved="false")
    assert only(run(book, SHORT)).state == "done"


def test_the_actions_own_proof_counts_where_the_runbook_has_none() -> None:
    assert only(one(WELL, values={"proven": "memory.available_percent > 30.0"})).state == "done"
    assert only(one(SHORT, values={"proven": "memory.available_percent > 30.0"})).state == "failed"


def test_it_settles_before_it_is_judged() -> None:
    played = one(WELL, values={"settle": 4.0}, verify=verify())
    wait = next(told.request for told in played.told if isinstance(told.request, Wait))
    assert (wait.seconds, wait.why) == (4.0, "until it has settled")
    assert kinds(played)[4:7] == ["Execute", "Wait", "ReadFacts"]


def test_harm_is_a_failure_although_the_proof_holds() -> None:
    before = at(5.0, pressure=Pressure(full=Full(percent=1.0)))
    after = at(50.0, pressure=Pressure(full=Full(percent=60.0)))
    book = runbook(step(verify=verify(), values={"undo": "auto"}), resolved="false")
    played = run(book, before, before, after)
    assert only(played).state == "undone"
    assert only(played).why == ("it did harm: full memory pressure in % rose from 1.0 to 60.0; it was taken back")


def test_harm_to_others_is_told_all_at_once() -> None:
    before = at(5.0, "web", "db", pressure=Pressure(full=Full(percent=1.0)))
    broken = Units(all=(Service(name="web", failed=True), Service(name="db", failed=True)))
    after = {**at(50.0), "units": broken, "pressure": Pressure(full=Full(percent=60.0))}
    played = run(runbook(step(), resolved="false"), before, before, after)
    assert only(played).why == "it did harm: full memory pressure in % rose from 1.0 to 60.0; db failed meanwhile"


@pytest.mark.parametrize(
    ("undo", "ends", "state", "tail", "undone"),
    [
        ("auto", [Failed, Done], "undone", "it broke; it was taken back", [False, True]),
        ("auto", [Failed, Failed], "failed", "it broke; it could not be taken back: it broke", [False, True]),
        ("auto", [Failed, Unknown], "failed", "it broke; it could not be taken back: it broke", [False, True]),
        ("offer", [Failed, Done], "undone", "it broke; it was taken back", [False, True]),
        ("offer", [Failed, Failed], "failed", "it broke; it could not be taken back: it broke", [False, True]),
        (None, [Failed], "failed", "it broke", [False]),
    ],
)
def test_what_failed_is_taken_back_at_once_or_where_a_person_says_so(
    undo: str | None, ends: list[Any], state: str, tail: str, undone: list[bool]
) -> None:
    played = one(SHORT, ends=ends, values={"undo": undo})
    assert (only(played).state, only(played).why) == (state, tail)
    assert commands(played) == undone
    assert only(played).left is (state == "failed")


def offer(*answers: Any, **world: Any) -> Run:
    """A step whose undo is only offered, and which fails; the first answer is to its own gate."""
    book = runbook(step(values={"undo": "offer", "risk": 2}), resolved="false")
    return run(book, SHORT, answers=answers, ends=[Failed, Done], **world)


def test_what_may_cost_more_to_take_back_is_offered_at_a_gate_of_its_own() -> None:
    played = offer("yes")
    _, question = [told.request for told in played.told if isinstance(told.request, AskApproval)]
    change = question.step.change
    assert question.offered
    assert question.evidence == (("it is not proven: it broke", ()),)
    assert change is not None
    assert (change.script, change.risk, question.step.gate) == ("back", Risk.HIGH, True)
    assert "stall" in change.costs, "what taking back may cost is said"
    assert change.digest != played.executed[0][1].change.digest, "a yes to the change is none to taking it back"


@pytest.mark.parametrize("answer", ["no", "skip", "quit", "quit-all"])
def test_what_nobody_wants_taken_back_is_left_and_said(answer: str) -> None:
    played = offer("yes", answer)
    assert commands(played) == [False]
    end = only(played)
    assert (end.state, end.left) == ("failed", True)
    assert end.why == "it broke; it is left as it is: nobody said yes to taking it back"


def test_a_yes_to_something_else_takes_nothing_back() -> None:
    assert commands(offer("yes", Approval(AT, "yes", "of something else", why="odd"))) == [False]
    assert only(offer("yes", Approval(AT, "no", "", why="nobody here"))).why.endswith("left as it is: nobody here")


def test_ctrl_c_at_that_gate_leaves_it_in_force_and_says_so() -> None:
    played = offer("yes", trouble={("AskApproval", 2): Interrupted("Ctrl-C")})
    assert (only(played).state, only(played).left) == ("interrupted", True)


def test_what_was_surely_not_begun_is_not_taken_back() -> None:
    def refused(at: Instant, why: str = "") -> Failed:
        return Failed(at, f"nothing was changed{why}", untouched=True)

    played = run(runbook(step(values={"undo": "auto"}), resolved="false"), SHORT, ends=[refused])
    assert commands(played) == [False]
    assert (only(played).state, only(played).left) == ("failed", False)


def test_what_nothing_proves_is_executed_and_never_done() -> None:
    for undo in (None, "auto"):
        end = only(one(WELL, values={"proven": "", "undo": undo}))
        assert (end.state, end.left) == ("executed", True)
        assert "nothing says what would prove" in end.why
    assert only(one(WELL, values={"proven": "", "kind": "read"})).state == "done"
    assert only(one(WELL, values={"proven": ""}, verify=verify())).state == "done"


def test_what_the_host_takes_back_by_itself_says_when() -> None:
    played = one(WELL, values={"undo": "auto", "back_after": 90.0})
    asked = next(told for told in played.told if isinstance(told.request, Execute))
    assert only(played).back_at == asked.answer.at.utc + 90.0
    assert only(one(WELL, ends=[Failed, Done], values={"undo": "auto", "back_after": 90.0})).back_at == 0.0
    assert only(one(WELL, values={"undo": "auto"})).back_at == 0.0


def test_after_an_undo_the_host_is_read_again() -> None:
    book = runbook(step("one", values={"undo": "auto"}, on_failure="continue"), step("two"), resolved="false")
    played = run(book, SHORT, ends=[Failed, Done])
    asked = kinds(played)
    undo = asked.index("Execute", asked.index("Execute") + 1)
    assert asked[undo + 1] == "ReadFacts"


def test_what_is_idempotent_is_tried_again_as_often_as_it_may() -> None:
    played = one(SHORT, ends=[Failed, Failed, Done], retries=RETRIES)
    assert only(played).state == "done"
    assert commands(played) == [False, False, False]
    assert [told.request.seconds for told in played.told if isinstance(told.request, Wait)] == [7.0, 7.0]
    assert only(one(SHORT, ends=[Failed], retries=RETRIES)).state == "failed"
    assert len(one(SHORT, ends=[Failed], retries=RETRIES).executed) == 3


def test_what_may_not_be_tried_again_is_judged_by_what_was_tried() -> None:
    book = runbook(step(retries=RETRIES, values={"undo": "auto"}), resolved="false")
    late = {("Execute", 2): Refused("the plan has expired")}
    played = run(book, SHORT, SHORT, SHORT, ends=[Failed, Done], trouble=late)
    assert only(played).state == "undone"
    assert "it broke; it was not tried again: the plan has expired" in only(played).why


def test_before_it_is_tried_again_the_host_is_read() -> None:
    played = one(SHORT, ends=[Failed, Done], retries=RETRIES)
    asked = kinds(played)
    first = asked.index("Execute")
    assert asked[first : first + 4] == ["Execute", "Wait", "ReadFacts", "Execute"]


def test_it_is_not_tried_again_where_it_would_be_another_change() -> None:
    moved = {**SHORT, "units": Units(all=(Service(name="web", main_pid=7),))}
    played = one(moved, ends=[Failed, Done], retries=RETRIES)
    assert commands(played) == [False]
    assert only(played).state == "failed"


def test_a_computed_value_is_not_computed_again_for_another_try() -> None:
    grown = {**SHORT, "units": Units(all=(Service(name="web", bytes=5),))}
    played = one(grown, ends=[Failed, Done], retries=RETRIES, values={"goal": "= units.all[0].bytes"})
    assert commands(played) == [False, False]


@pytest.mark.parametrize("kind", ["once", "read"])
def test_nothing_else_is_tried_again(kind: str) -> None:
    played = one(SHORT, ends=[Failed, Done], retries=RETRIES, values={"kind": kind})
    assert commands(played) == [False]
    assert only(played).state == "failed"


def test_a_once_only_effect_whose_end_was_not_seen_is_open() -> None:
    played = one(SHORT, ends=[Unknown], values={"kind": "once", "undo": "auto"})
    assert (only(played).state, only(played).why, only(played).open) == ("unknown", "it broke", True)
    assert commands(played) == [False]


def test_an_idempotent_effect_whose_end_was_not_seen_is_looked_for() -> None:
    gone = {**SHORT, "units": Units(all=(Service(name="web", bytes=0),))}
    took = one(gone, ends=[Unknown])
    assert (only(took).state, only(took).open) == ("done", False)
    took_not = one(SHORT, ends=[Unknown])
    assert (only(took_not).state, only(took_not).why) == ("failed", "it broke, and it did not take effect")
    hidden = {**SHORT, "units": Unavailable("denied", "permission denied")}
    unseen = one(hidden, ends=[Unknown])
    assert (only(unseen).state, only(unseen).open) == ("unknown", False)
    assert only(unseen).why == "it broke, and it cannot be seen: units: permission denied"
    assert unseen.end.outcome == "unknown"


def test_what_is_asked_meanwhile_says_why() -> None:
    def whys(played: Run) -> list[str]:
        requests = [told.request for told in played.told]
        return [request.why for request in requests if isinstance(request, ReadFacts | Wait)]

    assert whys(one(SHORT, ends=[Unknown]))[2] == "did it take effect?"
    again = whys(one(SHORT, ends=[Failed, Done], retries=RETRIES))
    assert again[2:4] == ["before it is tried again", "before it is tried again"]
    assert whys(one(WELL, verify=verify(hold=1)))[2:5] == ["verify act", "verify act", "verify act"]


def test_what_took_effect_unseen_must_still_be_proven() -> None:
    gone = {**SHORT, "units": Units(all=(Service(name="web", bytes=0),))}
    assert only(one(gone, ends=[Unknown], verify=verify(within=1))).state == "failed"


def test_what_took_no_effect_unseen_is_tried_again() -> None:
    played = one(SHORT, ends=[Unknown, Done], retries=RETRIES)
    assert commands(played) == [False, False]
    assert only(played).state == "done"


def test_looking_is_decided_by_the_action_alone() -> None:
    """That the step is not wanted any more says nothing of whether the change took effect."""
    book = runbook(step(when="memory.available_percent < 9.0"), resolved="false")
    played = run(book, SHORT, SHORT, WELL, ends=[Unknown])
    assert only(played).why == "it broke, and it did not take effect"


@pytest.mark.parametrize("end", [Failed, Unknown])
def test_reading_that_was_not_seen_to_its_end_has_failed_and_is_passed_over_where_it_may(end: Any) -> None:
    look = step("look", values={"kind": "read", "undo": None}, on_failure="continue")
    book = runbook(look, step("two"), resolved="false")
    played = run(book, SHORT, ends=[end, Done])
    assert states(played) == [("look", "failed"), ("two", "done")]
    assert played.finished[0].why == "it broke"
    stopped = run(runbook(step("look", values={"kind": "read"}), step("two")), SHORT, ends=[end])
    assert states(stopped) == [("look", "failed"), ("two", "skipped")]


def test_reading_needs_no_proof_and_does_not_begin_the_end() -> None:
    played = run(runbook(step(values={"kind": "read", "risk": 0}, verify=verify()), resolved="true"), SHORT)
    assert only(played).state == "done"
    assert proofs(played) == []


def test_every_look_at_a_proof_is_a_pair_of_samples_as_far_apart_as_the_runbook_says() -> None:
    book = runbook(step(verify=verify(hold=1)), resolved="false", every=3.0)
    looks = proofs(run(book, SHORT, SHORT, WELL))
    assert [(look.count, look.every) for look in looks] == [(2, 3.0)] * 2


def test_a_proof_reads_what_the_checks_read_only_where_it_speaks_of_them() -> None:
    short = "host.available_percent < 10.0"
    host = {"host": SHORT["memory"], **SHORT}
    plain = runbook(step(verify=verify("true", hold=1)), short=short, resolved="false")
    assert "host" not in proofs(run(plain, host))[0].facts


def test_what_is_taken_back_is_that_very_change() -> None:
    played = one(SHORT, ends=[Failed, Done], values={"undo": "auto"})
    (_, forth), (_, back) = played.executed
    assert (back.step, back.change) == (forth.step, forth.change) == ("act", forth.change)


def test_evidence_is_named_by_the_step_that_saved_it() -> None:
    kept = [lambda now: Done(now, evidence="look.txt"), Done]
    book = runbook(step("look", values={"kind": "read"}), step("two"), resolved="false")
    played = run(book, SHORT, ends=kept)
    assert [event.evidence for event in played.finished] == ["look.txt", ""]


def test_a_step_lasts_to_the_end_of_its_command_or_of_its_last_reading() -> None:
    look = run(runbook(step(values={"kind": "read", "risk": 0})), SHORT)
    # Nothing is read after the command: the command's own end counts.
    assert only(look).seconds == 1.0
    odd = one(WELL, verify=verify(), values={"settle": 0.12345})
    assert only(odd).seconds == 4.123


def test_the_label_names_the_item() -> None:
    book = runbook(step(for_each="units.all", values={"unit": "= item.name"}), resolved="false")
    ((_, request),) = run(book, SHORT).executed
    assert request.step == "act/web"


QUIET, WELL_ALL, DB_FAILED = FailedUnits(), FailedUnits(names=[]), FailedUnits(moved=True, names=["db"])


def tuned(*moves: FailedUnits, **spec: Any) -> Run:
    """A step about the host as a whole, and what was said at each reading after the first of who failed."""
    book = runbook(step("tune", action="tuner", **spec), step("last", action="tuner", verify=None), resolved="false")
    return run(book, at(5.0), *(at(5.0, failed_units=move) for move in moves))


def test_a_step_about_the_host_reads_no_services_after_the_diagnosis() -> None:
    played = tuned(QUIET)
    first, *later = [told.request.facts for told in played.told if isinstance(told.request, ReadFacts)]
    assert "units" in first
    assert set(later) == {("failed_units", "holds", "host", "memory", "pressure", "vmstat")}
    assert states(played) == [("tune", "done"), ("last", "done")]


def test_who_fails_after_a_change_of_the_host_is_harm() -> None:
    played = tuned(WELL_ALL, DB_FAILED)
    assert played.finished[0].state == "failed"
    assert "it did harm: db failed meanwhile" in played.finished[0].why


def test_who_failed_between_the_diagnosis_and_the_lock_is_no_harm_of_the_change() -> None:
    assert [end.state for end in tuned(DB_FAILED, DB_FAILED).finished] == ["done", "done"]
    assert [end.state for end in tuned(QUIET, DB_FAILED).finished] == ["done", "done"], "nobody told who had failed"


def test_who_had_failed_before_a_change_of_the_host_is_no_harm_of_it() -> None:
    assert [end.state for end in tuned(DB_FAILED, QUIET).finished] == ["done", "done"]


def test_while_a_proof_is_waited_for_what_it_asks_is_read_and_no_more() -> None:
    slow = VerifySpec("memory.available_percent > 30.0", Duration(60), Duration(0))
    book = runbook(step("tune", action="tuner", verify=slow), resolved="false")
    played = run(book, SHORT, SHORT, SHORT, SHORT, WELL)
    reads = [told.request for told in played.told if isinstance(told.request, ReadFacts)]
    proofs = [set(read.facts) for read in reads if read.why == "verify tune"]
    assert "failed_units" in proofs[0]
    assert proofs[1:] == [{"memory", "pressure", "vmstat"}] * 2
    after = next(read for read in reads if read.why == "did anything get worse?")
    assert {"failed_units", "holds", "host"} <= set(after.facts)
    assert states(played) == [("tune", "done")]
