"""Where nobody sits at the keyboard nothing goes beyond what was written down."""

from __future__ import annotations

import pytest

from memrunbook.app.no_further import NoFurther
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.request import AskApproval
from memrunbook.ui.approve import UnattendedApprover

NOW = Instant(5.0, 5.0)


def asked(risk: Risk) -> AskApproval:
    change = Change(action="x", summary="X", target="t", script=":", risk=risk, repeat=Repeat.ONCE)
    return AskApproval(PlannedStep(id="s", name="S", action="x", decision="change", change=change), NOW, ())


@pytest.mark.parametrize(
    ("most", "risk", "answer"),
    [(None, Risk.NONE, "no"), (Risk.NONE, Risk.LOW, "no"), (Risk.LOW, Risk.LOW, "yes"), (Risk.LOW, Risk.MEDIUM, "no"),
     (Risk.MEDIUM, Risk.MEDIUM, "yes"), (Risk.MEDIUM, Risk.HIGH, "no"), (Risk.HIGH, Risk.HIGH, "no")],
)  # fmt: skip
def test_the_lower_of_both_counts(most: Risk | None, risk: Risk, answer: str) -> None:
    consent = UnattendedApprover(yes=True, allow=("x",), clock=lambda: NOW, who="ada")
    said = NoFurther(consent, most, "config.yaml:3 (alerts)").approve("web1", asked(risk))
    assert said.answer == answer
    if most is not Risk.HIGH and answer == "no":
        assert "config.yaml:3 (alerts)" in said.why
        assert "waits for a person" in said.why
