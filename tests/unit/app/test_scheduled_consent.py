from __future__ import annotations

from typing import Any

import pytest

from memrunbook.app.scheduled_consent import ScheduledConsent
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.consents import Consents
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.event import LookedAt
from memrunbook.core.run.request import AskApproval
from memrunbook.testing import START, FixedClock

LOOK = LookedAt(
    run="R1", step="s", action="restart_unit", target="api.service", summary="", started="", record="", found="unknown"
)


def question(risk: Risk, **asked: Any) -> AskApproval:
    change = Change(
        action="restart_unit", summary="Restart", target="api.service", script=":", risk=risk, repeat=Repeat.ONCE
    )
    step = PlannedStep(id="s", name="S", action="restart_unit", decision="change", change=change, gate=True)
    return AskApproval(step, START, **asked)


def answer(max_risk: Risk, *allow: str, **asked: Any) -> tuple[str, str, str]:
    said = ScheduledConsent("night", max_risk, Consents(allow), FixedClock().now).approve("web", question(**asked))
    assert said.who == "schedule:night"
    return said.answer, said.how, said.why


@pytest.mark.parametrize("limit", [Risk.NONE, Risk.LOW, Risk.MEDIUM, Risk.HIGH])
@pytest.mark.parametrize("risk", [Risk.LOW, Risk.MEDIUM, Risk.HIGH])
def test_nothing_above_the_limit_is_done_and_high_never(limit: Risk, risk: Risk) -> None:
    said = answer(limit, risk=risk)
    assert said[0] == ("yes" if risk <= limit and risk < Risk.HIGH else "no")
    assert ("a person approves the plan" in said[2]) == (said[0] == "no")


def test_what_is_allowed_is_that_very_action_and_target() -> None:
    assert answer(Risk.LOW, "restart_unit:api.service", risk=Risk.HIGH)[:2] == (
        "yes",
        "allow: restart_unit:api.service",
    )
    assert answer(Risk.LOW, "restart_unit:other.service", risk=Risk.HIGH)[0] == "no"
    assert answer(Risk.LOW, "restart_unit", risk=Risk.MEDIUM)[0] == "no", "without its target it allows nothing"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"offered": True}, "taking it back may cost more"),
        ({"looks": (LOOK,)}, "not known"),
        ({"limits": ("the same was done 2 min ago",)}, "the same was done"),
    ],
)
def test_what_only_a_person_may_say_is_never_said(asked: dict[str, Any], words: str) -> None:
    said = answer(Risk.MEDIUM, "restart_unit:api.service", risk=Risk.LOW, **asked)
    assert said[0] == "no"
    assert words in said[2]
