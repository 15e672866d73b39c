"""Which end of a run is told, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memrunbook.app.firing_ends import next_words
from memrunbook.app.occasions import if_held_back, notifications_of
from memrunbook.app.run_arguments import RunResult
from memrunbook.core.plan.limits import STORM
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.notification import Notification
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.together import together
from memrunbook.documents.config import Config
from memrunbook.state.store.changes import PERSON
from memrunbook.ui.approve import AT_A_TERMINAL, OFFERED


def step(state: Any, why: str = "") -> StepFinished:
    return StepFinished(id="act", name="Act", action="run_command", state=state, why=why)


def occasion(outcome: Any, *steps: StepFinished, saved: bool = False, hint: str = "") -> str | None:
    report = HostReport("web1", outcome, steps, why="because", hint=hint)
    result = RunResult("R1", (report,), {"web1": Path("/plan.json")} if saved else {})
    found = notifications_of(result, "book", Config(), 5.0)
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
    [one] = notifications_of(RunResult("R1", (report,)), "book", Config(), 5.0)
    assert one.verdict == "web1: book: failed: step act failed"
    assert one.evidence == ("act: failed: exit status 3", "hint: look at it")
    assert one.command == "runbook report R1"
    assert (one.key, one.at, one.run) == ("failed book web1", 5.0, "R1")


def test_a_storm_is_one_trouble_whichever_host_came_last() -> None:
    storm = step("refused", f"api.service: 3 other hosts had the same change; {STORM}; {AT_A_TERMINAL}")
    alone = step("refused", f"twice an hour is no cure; {AT_A_TERMINAL}")

    def keys(one: StepFinished) -> set[str]:
        reports = [HostReport(host, "refused", (one,), why=one.why) for host in ("web1", "web2")]
        of_runs = [
            found.key
            for report in reports
            for found in notifications_of(RunResult("R1", (report,)), "b", Config(), 5.0)
        ]
        together_told = [
            found.key for found in together(notifications_of(RunResult("R2", tuple(reports)), "b", Config(), 5.0), str)
        ]
        return {*of_runs, *together_told}

    assert len(keys(storm)) == 1
    assert len(keys(alone)) == 3


def test_what_a_schedule_tells_of_limits_is_told_as_such_under_one_key() -> None:
    words = Notification(occasion="needs-approval", key="schedule:night:web1:x", at=5.0, verdict="v", runbook="book")
    held = HostReport("web1", "refused", (step("refused", f"no cure; {AT_A_TERMINAL}"),), why="w")
    told = if_held_back(words, held, Path("/plan.json"))
    assert (told.occasion, told.key, told.verdict) == ("breaker-open", "breaker-open book web1", "v")
    waits = HostReport("web1", "refused", (step("refused", "schedule night goes up to risk low"),), why="w")
    assert if_held_back(words, waits, Path("/plan.json")) is words


def test_where_an_earlier_run_is_in_the_way_the_command_goes_on_with_that() -> None:
    hint = "runbook resume R0 looks at it and goes on; --break-lock takes the lock and nothing else"
    report = HostReport("web1", "refused", (), why="an earlier run left its lock on the host", hint=hint)
    [one] = notifications_of(RunResult("R1", (report,)), "memory-leak", Config(), 5.0)
    assert one.command == "runbook resume R0"
    assert next_words(report, "R1") == ("resume", "R0")
    assert next_words(HostReport("web1", "failed", ()), "R1") == ("report", "R1")
