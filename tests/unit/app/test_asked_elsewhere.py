"""A gate of a worker is answered where the run was ordered, and by nobody where nobody is there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from tests.golden import samples
from tests.unit.app.ordered import AT, FIRST, ORDER, ActingClock, Ordered, clock, given, hear, order

from memrunbook.app import asked_elsewhere, part_telling
from memrunbook.app.asked_elsewhere import AskedElsewhere, answer_text, question_of
from memrunbook.app.part_telling import PartTold
from memrunbook.core.errors import Interrupted
from memrunbook.core.run.cut_off import UNANSWERED
from memrunbook.core.run.event import RunFinished
from memrunbook.core.run.record import Recorded, plain
from memrunbook.core.run.request import Approval, AskApproval, GateAnswer

__all__ = ["clock", "order"]
QUESTION = samples.question()


@pytest.fixture
def told(order: Ordered, clock: ActingClock, monkeypatch: pytest.MonkeyPatch) -> PartTold:
    found = order.told()
    given(clock, monkeypatch, asked_elsewhere, part_telling)
    clock.of(found.stop)
    return found


def answered(order: Ordered, told: PartTold, answer: GateAnswer, asked: list[AskApproval]) -> Callable[[], object]:
    """Whoever ordered the run reads the question and answers it; the worker hears that."""

    def does() -> None:
        seen = order.seen()
        asked.append(question_of(seen.question))
        approval = Approval(samples.NOW, answer, QUESTION.step.digest, "ada", "terminal", "so it is", QUESTION.again)
        order.orders.answer(FIRST, seen.attempt, answer_text(approval))
        hear(told)

    return does


@pytest.mark.parametrize("answer", ["yes", "no", "skip", "quit-all"])
def test_the_question_goes_there_and_the_answer_comes_back_in_the_time_of_the_worker(
    order: Ordered, told: PartTold, clock: ActingClock, answer: GateAnswer
) -> None:
    asked = list[AskApproval]()
    clock.meanwhile += [lambda: hear(told), lambda: None, answered(order, told, answer, asked)]
    told.recorded({"event": "recorded"})
    approval = AskedElsewhere(told).approve("web-1", QUESTION)
    assert asked == [QUESTION]
    assert (approval.answer, approval.who, approval.how, approval.why) == (answer, "ada", "terminal", "so it is")
    assert approval.digest == QUESTION.step.digest
    assert approval.at == clock.now() != samples.NOW
    assert order.seen().question == ""
    assert order.lines() == [b'{"event":"recorded"}'], "what led to the question is told before it"


def test_a_second_question_is_not_answered_by_the_answer_to_the_first(
    order: Ordered, told: PartTold, clock: ActingClock
) -> None:
    asked = list[AskApproval]()
    approver = AskedElsewhere(told)
    clock.meanwhile += [answered(order, told, "yes", asked)]
    assert approver.approve("web-1", QUESTION).answer == "yes"
    clock.meanwhile += [lambda: hear(told), answered(order, told, "no", asked)]
    assert approver.approve("web-1", QUESTION).answer == "no"


def test_where_nobody_is_there_it_is_no(order: Ordered, told: PartTold, clock: ActingClock) -> None:
    order.orders.beat(ORDER, AT, attended=False)
    clock.meanwhile += [lambda: hear(told)]
    approval = AskedElsewhere(told).approve("web-1", QUESTION)
    assert (approval.answer, approval.how, approval.why) == ("no", "none", UNANSWERED)
    assert approval.at == clock.now()
    assert order.seen().question == ""


def test_a_part_that_is_stopped_meanwhile_waits_for_no_answer(
    order: Ordered, told: PartTold, clock: ActingClock
) -> None:
    def stopped() -> None:
        order.orders.stop([FIRST])
        hear(told)

    clock.meanwhile += [lambda: None, stopped]
    with pytest.raises(Interrupted):
        AskedElsewhere(told).approve("web-1", QUESTION)


@pytest.mark.parametrize("text", ["{}", msgspec.json.encode(plain(Recorded(RunFinished("resolved")))).decode()])
def test_what_is_no_question_is_none(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        question_of(text)
