"""A run goes on: what was open comes to its end, what has ended stays so, the rest is run like any other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.lab import scripted, small
from tests.lab.worlds import Run, Told

from memrunbook.core.errors import Interrupted, Refused, SessionLost
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import LookedAt, StepFinished
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.request import (
    Approval,
    AskApproval,
    Lock,
    Look,
    Record,
    Seen,
    Unlock,
    Wait,
)
from memrunbook.core.run.resume import Behind, give_back
from memrunbook.core.run.run import run_plan
from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.runbook.spec import VerifySpec
from memrunbook.core.units import Duration

SHORT, WELL = scripted.at(5.0), scripted.at(60.0)
NEVER = "memory.available_percent > 1000.0"


def before(*names: str) -> Snapshot:
    readings: dict[str, Any] = dict(scripted.at(5.0, *names))
    return small.snapshot(**readings)


def opened(step: str = "act", **more: Any) -> OpenStep:
    known = {
        "run": "R1", "runbook": "lab", "host": "lab", "step": step, "action": "adjust", "target": "web",
        "summary": "Adjust web", "started": "2026-11-29T03:12:07.000Z", "record": "h1", "identity": "web 100",
    }  # fmt: skip
    return OpenStep(**{**known, **more})


def end(name: str, state: Any = "done", item: str = "", **more: Any) -> StepFinished:
    return StepFinished(id=name, name=name.title(), action="adjust", item=item, state=state, **more)


def behind(*finished: StepFinished, **more: Any) -> Behind:
    known = {"before": before(), "first": before(), "acted": True}
    return Behind("R1", finished, **{**known, **more})


class Gone(scripted.Scripted):
    """A scripted world whose host says this of a command that was begun."""

    seen: Seen = Seen(small.snapshot().taken_at, "ended")
    again: bool = False

    def answer(self, request: Any) -> Any:
        if isinstance(request, Look):
            return self.seen
        told = super().answer(request)
        if isinstance(told, Approval) and self.again and isinstance(request, AskApproval):
            return msgspec.structs.replace(told, again=request.again)
        return told


def go_on(  # noqa: PLR0913  all that a run is told
    book: Runbook,
    part: Behind,
    *reads: Any,
    seen: Seen | None = None,
    again: bool = False,
    left: Any = (),
    patience: float = 0.0,
    **world: Any,
) -> Run:
    place = Gone(reads or (SHORT,), **world)
    place.seen, place.again = seen or Gone.seen, again
    played, asking = Run(book), run_plan(book, left=left, behind=part, patience=patience)
    request = next(asking)
    while True:
        told = Told(request)
        played.told.append(told)
        told.error = None if isinstance(request, Record) else place.error(request)
        try:
            if told.error:
                request = asking.throw(told.error)
            else:
                told.answer = place.answer(request)
                request = asking.send(told.answer)
        except StopIteration:
            return played


def one(kind: str = "once", **more: Any) -> Runbook:
    return small.runbook(
        small.step(values={"unit": "web", "kind": kind, **more.pop("values", {})}, **more), resolved=NEVER
    )


def looks(played: Run) -> list[tuple[str, str]]:
    return [(event.step, event.found) for event in played.events if isinstance(event, LookedAt)]


def acts(played: Run) -> list[tuple[str, bool]]:
    return [(request.step, request.undo) for _, request in played.executed]


ENDED, STATUS_1 = Seen(small.snapshot().taken_at, "ended"), Seen(small.snapshot().taken_at, "ended", 1)
ABSENT, BEGUN = Seen(small.snapshot().taken_at, "absent"), Seen(small.snapshot().taken_at, "begun")


def test_what_the_host_says_is_done_is_proven_and_not_repeated() -> None:
    played = go_on(
        one(verify=VerifySpec("memory.available_percent > 1.0", Duration(9), Duration(0))), behind(open=opened())
    )
    assert (looks(played), scripted.states(played), acts(played)) == ([("act", "done")], [("act", "done")], [])
    assert scripted.kinds(played)[:3] == ["ReadFacts", "Lock", "Look"]
    assert played.end.outcome == "unresolved"
    assert scripted.kinds(played)[-1] == "Unlock"


def test_what_the_journal_says_is_done_is_proven_too() -> None:
    played = go_on(one(), behind(open=opened(answer="done")))
    assert (scripted.states(played), acts(played)) == ([("act", "done")], [])
    assert "Look" not in scripted.kinds(played)


def test_what_does_not_prove_fails_and_is_taken_back() -> None:
    book = one("idempotent", values={"undo": "auto"}, verify=VerifySpec(NEVER, Duration(0), Duration(0)))
    played = go_on(book, behind(open=opened(once=False)))
    assert (scripted.states(played), acts(played)) == ([("act", "undone")], [("act", True)])
    assert played.end.outcome == "failed"


def test_what_failed_is_taken_back_and_ends_the_run() -> None:
    book = small.runbook(
        small.step(values={"unit": "web", "kind": "idempotent", "undo": "auto"}), small.step("next"), resolved=NEVER
    )
    played = go_on(book, behind(open=opened(once=False)), seen=STATUS_1)
    assert scripted.states(played) == [("act", "undone"), ("next", "skipped")]
    assert acts(played) == [("act", True)]


@pytest.mark.parametrize("kind", ["once", "idempotent"])
def test_what_never_began_is_run_like_any_other(kind: str) -> None:
    played = go_on(one(kind), behind(open=opened(once=kind == "once")), seen=ABSENT)
    assert (looks(played), acts(played)) == ([("act", "not-done")], [("act", False)])
    assert "AskApproval" in scripted.kinds(played)
    assert scripted.states(played) == [("act", "done")]


def test_what_may_be_set_again_is_set_again_where_nobody_knows() -> None:
    played = go_on(one("idempotent"), behind(open=opened(once=False)), seen=BEGUN)
    assert (looks(played), acts(played)) == ([("act", "unknown")], [("act", False)])


def test_what_nobody_knows_is_left_open_without_its_own_word() -> None:
    played = go_on(one(), behind(open=opened()), seen=BEGUN)
    assert (looks(played), acts(played)) == ([("act", "unknown")], [])
    step = scripted.only(played)
    assert (step.state, step.open) == ("unknown", True)
    assert step.why.startswith("started 03:12:07 UTC, outcome unknown: its command began")
    assert (played.end.outcome, played.end.why) == ("unknown", "the outcome of step act is unknown")


def test_with_its_own_word_it_happens_once_more() -> None:
    played = go_on(one(), behind(open=opened()), seen=BEGUN, again=True)
    assert looks(played) == [("act", "unknown"), ("act", "again")]
    assert acts(played) == [("act", False)]
    [question, _] = [told.request for told in played.told if isinstance(told.request, AskApproval)]
    assert question.again == "again:adjust:web"


def test_a_no_and_a_step_that_is_not_due_any_more_leave_it_open() -> None:
    declined = go_on(one(), behind(open=opened()), seen=BEGUN, answers=["no"])
    assert scripted.only(declined).open
    gone = go_on(one(), behind(open=opened()), scripted.at(5.0, "db"), seen=BEGUN)
    assert scripted.only(gone).open
    assert "AskApproval" not in scripted.kinds(gone)
    each = small.runbook(
        small.step(for_each="units.all", values={"unit": "= item.name", "kind": "once"}), resolved=NEVER
    )
    item = go_on(each, behind(open=opened("act/web")), scripted.at(5.0, "db"), seen=BEGUN)
    assert (scripted.states(item)[0], item.finished[0].open) == (("act/web", "unknown"), True)


def test_what_was_being_taken_back_is_taken_back() -> None:
    book = one("idempotent", values={"undo": "auto"})
    done = go_on(book, behind(open=opened(undo=True, once=False)))
    assert (scripted.states(done), acts(done)) == ([("act", "undone")], [])
    assert (done.end.outcome, done.end.why) == ("failed", "step act failed")
    for seen in (ABSENT, BEGUN, STATUS_1):
        again = go_on(book, behind(open=opened(undo=True, once=False)), seen=seen)
        assert (scripted.states(again), acts(again)) == ([("act", "undone")], [("act", True)])
    goes_on = one("idempotent", values={"undo": "auto"}, on_failure="continue")
    assert go_on(goes_on, behind(open=opened(undo=True, once=False))).end.outcome == "failed"


@pytest.mark.parametrize(
    "part",
    [
        behind(open=opened(), before=None),
        behind(open=opened(), before=before("db")),
        behind(open=opened(target="db")),
    ],
)
def test_a_beginning_that_cannot_be_made_out_is_not_called_done(part: Behind) -> None:
    played = go_on(one(), part)
    step = scripted.only(played)
    assert (step.state, step.open) == ("unknown", False)
    assert step.why.startswith("carried out, but not proven")
    assert played.end.outcome == "unknown"


def test_an_item_or_an_action_of_then_that_cannot_be_made_out_is_not_called_done() -> None:
    each = small.runbook(
        small.step(for_each="units.all", values={"unit": "= item.name", "kind": "once"}), resolved=NEVER
    )
    gone = go_on(each, behind(open=opened("act/web"), before=before("db")))
    assert gone.finished[0].why.startswith("carried out, but not proven")
    odd = small.runbook(small.step(values={"unit": "web", "goal": "= memory.available_bytes"}), resolved=NEVER)
    assert go_on(odd, behind(open=opened())).finished[0].why.startswith("carried out, but not proven")


def test_what_has_ended_is_not_run_again_and_decides_as_it_did() -> None:
    book = small.runbook(small.step("a"), small.step("b"), resolved=NEVER)
    played = go_on(book, behind(end("a")))
    assert acts(played) == [("b", False)]
    for state in ("failed", "undone", "refused", "unknown"):
        stopped = go_on(book, behind(end("a", state)))
        assert scripted.states(stopped) == [("b", "skipped")]
    by_rule = msgspec.structs.replace(end("a", "refused"), rule=True)
    assert acts(go_on(book, behind(by_rule))) == [("b", False)], "a rule stops its step alone"
    goes_on = small.runbook(small.step("a", on_failure="continue"), small.step("b"), resolved=NEVER)
    assert acts(go_on(goes_on, behind(end("a", "failed")))) == [("b", False)]
    gone = go_on(book, behind(end("z", "failed")))
    assert acts(gone) == [("a", False), ("b", False)]


def test_items_that_have_ended_are_not_run_again_and_count_against_the_limit() -> None:
    each = small.step(for_each="units.all", limit=2, values={"unit": "= item.name"})
    book = small.runbook(each, small.step("b"), resolved=NEVER)
    reads = scripted.at(5.0, "web", "db", "cron")
    played = go_on(book, behind(end("act", item="web")), reads)
    assert acts(played) == [("act/db", False), ("b", False)]
    stopped = go_on(book, behind(end("act", "refused", item="web")), reads)
    assert scripted.states(stopped) == [("b", "skipped")]


def test_a_proven_step_that_ends_the_incident_makes_the_rest_needless() -> None:
    book = small.runbook(small.step(values={"unit": "web", "kind": "once"}), small.step("next"))
    played = go_on(book, behind(open=opened()), SHORT, WELL)
    assert scripted.states(played) == [("act", "done"), ("next", "not_needed")]
    assert played.end.outcome == "resolved"
    assert played.end.why == "resolved after step act"


def test_an_incident_that_is_over_is_no_reason_not_to_look() -> None:
    played = go_on(one(), behind(open=opened()), WELL)
    assert looks(played) == [("act", "done")]
    assert played.end.outcome != "healthy"


def test_a_host_that_nothing_was_begun_on_is_as_new() -> None:
    assert go_on(one(), Behind("R1"), WELL).end.outcome == "healthy"
    assert acts(go_on(one(), Behind("R1"))) == [("act", False)]


def test_the_lock_of_its_own_shell_is_waited_for() -> None:
    held = Refused("another run is at work on the host: R1 ada")
    played = go_on(one(), behind(open=opened()), trouble={("Lock", 1): held, ("Lock", 2): held})
    assert [type(told.request) for told in played.told if isinstance(told.request, Lock | Wait)][:5] == [
        Lock, Wait, Lock, Wait, Lock,
    ]  # fmt: skip
    assert scripted.states(played) == [("act", "done")]
    for_ever = {("Lock", n): held for n in range(1, 99)}
    given_up = go_on(one(), behind(open=opened()), trouble=for_ever)
    assert scripted.kinds(given_up).count("Lock") == 31


def test_the_wait_for_its_own_shell_is_no_part_of_the_time_of_its_proof() -> None:
    """And what was read before that wait decides nothing after it."""
    held = Refused("another run is at work on the host: R1 ada")
    verify = VerifySpec("memory.available_percent > 1.0", Duration(9), Duration(2))
    played = go_on(
        one(verify=verify), behind(open=opened(timeout=60.0)), trouble={("Lock", n): held for n in range(1, 21)}
    )
    assert (looks(played), scripted.states(played), acts(played)) == ([("act", "done")], [("act", "done")], [])
    kinds = scripted.kinds(played)
    assert kinds[kinds.index("Look") + 1] == "ReadFacts"


def test_somebody_elses_lock_leaves_it_open() -> None:
    held = Refused("another run is at work on the host: R2 bob")
    played = go_on(one(), behind(open=opened()), trouble={("Lock", 1): held})
    assert scripted.kinds(played) == ["ReadFacts", "Lock"]
    step = scripted.only(played)
    assert (step.state, step.open, played.end.outcome) == ("unknown", True, "unknown")
    assert "it could not be looked at: another run" in step.why
    fresh = go_on(one(), Behind("R1"), trouble={("Lock", 1): held})
    assert fresh.end.outcome == "refused"


def test_another_run_is_waited_for_as_long_as_there_is_patience_and_then_named() -> None:
    """What was read before such a wait is old; what does not pass by itself is not waited for."""
    busy = Refused("another run is at work on the host: R2 bob", passes=True)
    played = go_on(one(), Behind("R1"), trouble={("Lock", 1): busy, ("Lock", 2): busy}, patience=60.0)
    kinds = scripted.kinds(played)
    assert kinds[:7] == ["ReadFacts", "Lock", "Wait", "Lock", "Wait", "Lock", "ReadFacts"]
    assert scripted.states(played) == [("act", "done")]
    for_ever = {("Lock", n): busy for n in range(1, 99)}
    given_up = go_on(one(), Behind("R1"), trouble=for_ever, patience=60.0)
    waited = sum(told.request.seconds for told in given_up.told if isinstance(told.request, Wait))
    assert (waited, given_up.end.outcome) == (60.0, "refused")
    assert given_up.end.why == "another run is at work on the host: R2 bob; its end was waited for, 60 s"
    stale = Refused("an earlier run left its lock on the host")
    assert scripted.kinds(go_on(one(), Behind("R1"), trouble={("Lock", 1): stale}, patience=60.0)) == [
        "ReadFacts", "Lock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "outcome"), [(SessionLost("gone"), "unreachable"), (Interrupted("no"), "interrupted")]
)
def test_a_host_that_cannot_be_read_leaves_it_open(error: Any, outcome: str) -> None:
    played = go_on(one(), behind(open=opened()), trouble={("ReadFacts", 1): error})
    assert (scripted.only(played).open, played.end.outcome) == (True, "unknown")
    none = go_on(one(), behind(end("act")), trouble={("ReadFacts", 1): error})
    assert none.end.outcome == outcome


def test_the_look_itself_may_be_cut_off() -> None:
    played = go_on(one(), behind(open=opened()), trouble={("Look", 1): SessionLost("gone")})
    assert (scripted.only(played).open, played.end.outcome) == (True, "unknown")


CUTS = [(SessionLost("gone"), "unreachable"), (Interrupted("a person asked to stop"), "interrupted")]


@pytest.mark.parametrize(("error", "_"), CUTS)
def test_what_nobody_could_tell_stays_open_where_its_gate_is_cut_off(error: Any, _: str) -> None:
    """Whoever looks at the host first, with Ctrl-C at the question for the word, has not said that it never was."""
    for question in (("AskApproval", 1), ("ReadFacts", 2)):
        held = {("Lock", 1): Refused("another run is at work on the host: R1 ada")}
        played = go_on(one(), behind(open=opened()), seen=BEGUN, trouble={**held, question: error})
        step = scripted.only(played)
        assert (looks(played), step.state, step.open) == ([("act", "unknown")], "unknown", True)
        why = "its command began, and how it ended is not on the host"
        assert step.why == f"started 03:12:07 UTC, outcome unknown: {why}; then {error}"
        assert played.end.outcome == "unknown"


@pytest.mark.parametrize(("error", "outcome"), CUTS)
@pytest.mark.parametrize("answer", ["", "done"])
def test_what_was_found_done_is_not_proven_where_the_reading_after_it_is_cut_off(
    error: Any, outcome: str, answer: Any
) -> None:
    held = Refused("another run is at work on the host: R1 ada")
    trouble = {("Lock", 1): held, ("ReadFacts", 2): error}
    played = go_on(one(), behind(open=opened(answer=answer)), trouble=trouble)
    step = scripted.only(played)
    assert (looks(played), step.left, played.end.outcome) == ([("act", "done")], True, outcome)
    assert step.why == f"carried out, but not proven: {error}"


def test_what_may_be_set_again_stays_open_until_it_is_set() -> None:
    book, part = one("idempotent"), behind(open=opened(once=False))
    before_it = go_on(book, part, seen=BEGUN, trouble={("AskApproval", 1): Interrupted("stop")})
    assert (scripted.states(before_it), before_it.finished[0].open) == ([("act", "unknown")], True)
    verify = VerifySpec(NEVER, Duration(60), Duration(0))
    proving = one("idempotent", verify=verify)
    behind_it = go_on(proving, part, seen=BEGUN, trouble={("ReadFacts", 3): Interrupted("stop")})
    assert (acts(behind_it), scripted.states(behind_it)) == ([("act", False)], [("act", "interrupted")])


def test_what_is_known_not_to_have_been_is_not_open_when_it_is_cut_off() -> None:
    played = go_on(one(), behind(open=opened()), seen=ABSENT, trouble={("AskApproval", 1): Interrupted("stop")})
    assert (scripted.only(played).open, played.end.outcome) == (False, "interrupted")


def test_whether_the_incident_applies_may_be_unknown_and_still_it_is_looked_at() -> None:
    played = go_on(one(), behind(open=opened()), scripted.at(None))
    assert looks(played) == [("act", "done")]
    assert acts(played) == []


def test_the_lock_is_all_that_is_given_back() -> None:
    asking = give_back()
    assert isinstance(next(asking), Unlock)
    with pytest.raises(StopIteration):
        asking.throw(SessionLost("gone"))


LEFT = opened(run="R0", record="h0")


@pytest.mark.parametrize(("seen", "expected"), [(ENDED, []), (STATUS_1, [("act", False)]), (ABSENT, [("act", False)])])
def test_what_another_run_left_open_is_looked_at_and_decides(seen: Seen, expected: Any) -> None:
    played = go_on(one(), Behind("R1"), seen=seen, left=[LEFT])
    assert acts(played) == expected
    if not expected:
        assert scripted.only(played).state == "not_needed"
        assert scripted.only(played).why.startswith("run R0 has carried it out, started 03:12:07 UTC: ")
    else:
        [question] = [told.request for told in played.told if isinstance(told.request, AskApproval)]
        assert (len(question.looks), question.again) == (1, "")


def test_what_another_run_left_unknown_needs_its_own_word() -> None:
    refused = go_on(one(), Behind("R1"), seen=BEGUN, left=[LEFT])
    assert (acts(refused), refused.end.outcome) == ([], "refused")
    assert scripted.only(refused).why == "it is repeated on its own word alone: again:adjust:web"
    assert not scripted.only(refused).open
    allowed = go_on(one(), Behind("R1"), seen=BEGUN, left=[LEFT], again=True)
    assert looks(allowed) == [("act", "unknown"), ("act", "again")]
    assert acts(allowed) == [("act", False)]


def test_even_what_has_no_gate_is_asked_for_then() -> None:
    book = one(values={"risk": 0})
    assert "AskApproval" not in scripted.kinds(go_on(book, Behind("R1")))
    assert acts(go_on(book, Behind("R1"), seen=BEGUN, left=[LEFT])) == []
    set_again = one("idempotent", values={"risk": 0})
    left = [msgspec.structs.replace(LEFT, once=False)]
    assert acts(go_on(set_again, Behind("R1"), seen=BEGUN, left=left)) == [("act", False)]


def test_what_is_open_elsewhere_or_of_another_change_is_no_matter() -> None:
    elsewhere = go_on(one(), Behind("R1"), left=[msgspec.structs.replace(LEFT, host="db7")])
    assert (looks(elsewhere), acts(elsewhere)) == ([], [("act", False)])
    other = go_on(one(), Behind("R1"), left=[msgspec.structs.replace(LEFT, target="db")])
    assert (looks(other), acts(other)) == ([("act", "done")], [("act", False)])


def test_a_change_that_is_gone_after_the_gate_is_not_let_happen_again() -> None:
    played = go_on(one(), Behind("R1"), SHORT, scripted.at(60.0), seen=BEGUN, left=[LEFT], again=True)
    assert looks(played) == [("act", "unknown")]
    assert acts(played) == []


def test_only_the_unknown_among_several_looks_are_let_happen_again() -> None:
    known = opened(run="R0", record="h2", answer="failed")
    played = go_on(one(), Behind("R1"), seen=BEGUN, left=[known, LEFT], again=True)
    assert looks(played) == [("act", "failed"), ("act", "unknown"), ("act", "again")]
    assert acts(played) == [("act", False)]


@pytest.mark.parametrize(("had", "state"), [(False, "failed"), (True, "done")])
def test_who_failed_while_nobody_looked_is_harm_of_the_open_step(*, had: bool, state: str) -> None:
    """The snapshot before it says that nobody had failed since the lock; the run's first one says who had by then."""
    book = small.runbook(small.step(action="tuner", values={"kind": "once"}), resolved=NEVER)
    first = small.snapshot(memory=small.Memory(available_percent=5.0), units=small.services("db", failed=had))
    last = small.snapshot(memory=small.Memory(available_percent=5.0), failed_units=small.FailedUnits())
    part = behind(open=opened(target="host", identity="host boot"), first=first, before=last)
    now = {**scripted.at(5.0), "units": small.services("db", failed=True), "failed_units": small.FailedUnits()}
    played = go_on(book, part, now)
    assert [(ended.id, ended.state) for ended in played.finished] == [("act", state)]
    assert ("db failed meanwhile" in played.finished[0].why) is not had
