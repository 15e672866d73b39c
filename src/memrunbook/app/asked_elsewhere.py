"""Gates of a run that a worker carries out: asked where the run was ordered, by whoever sits there."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import structs

from memrunbook.app.part_telling import PartTold
from memrunbook.core.run.cut_off import UNANSWERED
from memrunbook.core.run.record import Asked, decode, plain
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.clock import SystemClock

LOOK = 0.1
"""Seconds between two looks whether the answer is there: the reporter has asked for it."""


@dataclass(frozen=True)
class AskedElsewhere:
    """An approver (port of the runtime) that puts each question into the store, and waits for the answer.

    No, where whoever ordered the run is gone; Interrupted where the part is stopped meanwhile.
    """

    told: PartTold

    def approve(self, host: str, question: AskApproval) -> Approval:  # noqa: ARG002  the port's signature
        """The answer of whoever ordered the run."""
        told, clock = self.told, SystemClock(self.told.stop)
        told.now()  # what led to the question is seen before it
        told.ask(question_text(question))
        while told.attended and not told.answer:
            clock.sleep(LOOK)
        answer = told.answer
        told.ask("")
        if not answer:
            return Approval(clock.now(), "no", question.step.digest, how="none", why=UNANSWERED)
        return structs.replace(msgspec.json.decode(answer, type=Approval), at=clock.now())


def question_text(question: AskApproval) -> str:
    """A question as the store keeps it."""
    return msgspec.json.encode(plain(Asked(question))).decode()


def question_of(text: str) -> AskApproval:
    """The question of what `question_text` made; msgspec.ValidationError for anything else."""
    found = decode(msgspec.json.decode(text), {})
    if isinstance(found, Asked) and isinstance(found.request, AskApproval):
        return found.request
    raise msgspec.ValidationError("this is no question of a gate")


def answer_text(answer: Approval) -> str:
    """An answer as the store keeps it."""
    return msgspec.json.encode(answer).decode()
