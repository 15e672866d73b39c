"""Which end of a run is told, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memrunbook.app.occasions import notifications_of
from memrunbook.app.run_arguments import RunResult
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.report import HostReport
from memrunbook.documents.config import Config
from memrunbook.state.store.changes import PERSON
from memrunbook.ui.approve import AT_A_TERMINAL, OFFERED

STATE = Path("/var/lib/memrunbook-elsewhere")


def step(state: Any, why: str = "") -> StepFinished:
    return StepFinished(id="act", name="Act", action="run_command", state=state, why=why)


def occasion(outcome: Any, *steps: StepFinished, saved: bool = False, hint: str = "") -> str | None:
    report = HostReport("web1", outcome, steps, why="because", hint=hint)
    result = RunResult("R1", (report,), {"web1": Path("/plan.json")} if saved else {})
    found = notifications_of(result, "book", STATE, Config(), 5.0)
    return found[0].occasion if found else None


@pytest.mark.parametrize("outcome", ["healthy", "resolved", "interrupted", "not_begun", "restored"])
def test_what_ended_well_or_by_a_person_is_told_to_nobody(outcome: str) -> None:
    assert occasion(outcome) is None


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("failed", "failed"), ("unknown", "failed"), ("unresolved", "unresolved"), ("improved", "unresolved"),
     ("unreachable", "unreachable"), ("refused", "refused")],
)  # fmt: skip
def test_each_bad_end_has_its_occasion(outcome: str, told: str) -> None:
    assert occasion(outcome) == told


def test_a_refusal_is_told_by_who_refused() -> None:
    unattended = step("refused", "nobody can be asked here, and risk medium needs --allow x")
    assert occasion("refused", unattended, saved=True) == "needs-approval"
    assert occasion("refused", unattended) == "refused"
    for why in ("declined at the gate", "stopped at the gate", "no clear answer in 3 attempts", "stdin was closed"):
        assert occasion("refused", step("refused", why), saved=True) is None
    assert occasion("refused", step("refused", f"twice an hour is no cure; {AT_A_TERMINAL}"), saved=True) == (
        "breaker-open"
    )
    assert occasion("refused", step("refused", f"{OFFERED}; {AT_A_TERMINAL}"), saved=True) == "needs-approval"
    assert occasion("refused", hint=PERSON) == "breaker-open"


def test_what_is_told_of_a_host() -> None:
    steps = (step("done"), step("failed", "exit status 3"))
    report = HostReport("web1", "failed", steps, why="step act failed", hint="look at it")
    [one] = notifications_of(RunResult("R1", (report,)), "book", STATE, Config(), 5.0)
    assert one.verdict == "web1: book: failed: step act failed"
    assert one.evidence == ("act: failed: exit status 3", "hint: look at it")
    assert one.command == "runbook report R1 --state-dir /var/lib/memrunbook-elsewhere"
    assert (one.key, one.at, one.run) == ("failed book web1", 5.0, "R1")
