"""What came of alerts: the weightiest first, and under each what to type."""

from __future__ import annotations

import io
from typing import get_args

import pytest

from memrunbook.core.run.answered import AlertAnswer, AnsweredAlert
from memrunbook.ui.alerts import WORDS, alerts_view
from memrunbook.ui.screen import Screen


def drawn(*found: AnsweredAlert, truncated: int = 0, beyond: int = 0) -> str:
    stream = io.StringIO()
    Screen("never", stream).show(alerts_view(found, lambda command: f"{command} --x", truncated, beyond))
    return stream.getvalue()


def test_every_answer_has_its_word() -> None:
    assert WORDS.keys() == set(get_args(AlertAnswer))


def test_the_weightiest_are_first_and_are_counted() -> None:
    resolved = AnsweredAlert(alert="A", answer="resolved", why="over")
    gone = AnsweredAlert(alert="B", answer="unreachable", why="no route", host="web1")
    shown = drawn(resolved, gone, resolved)
    assert shown.startswith("3 alerts: 1 not reached, 2 resolved\n")
    assert shown.index("alert B for web1: no route") < shown.index("alert A: over")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"answer": "planned", "plan": "/s/a b.json", "run": "R"}, "to carry it out: runbook apply '/s/a b.json' --x"),
        ({"answer": "run", "run": "R"}, "in full: runbook report R --x"),
        ({"answer": "other"}, "what is wrong there: runbook diagnose --host web1 --x"),
        ({"answer": "healthy"}, ""),
    ],
)
def test_under_each_stands_what_to_type(more: dict[str, str], said: str) -> None:
    shown = drawn(AnsweredAlert(alert="A", host="web1", why="so", **more))  # type: ignore[arg-type]
    assert said in shown
    assert shown.count("runbook ") == bool(said)


def test_an_alert_without_a_name_and_those_that_were_left_out() -> None:
    shown = " ".join(
        drawn(AnsweredAlert(alert="", answer="unknown-alert", why="no entry"), truncated=7, beyond=3).split()
    )
    assert "alert (without a name): no entry" in shown
    assert "7 more were left out by Alertmanager" in shown
    assert "3 more were not looked at: 1 at once" in shown
