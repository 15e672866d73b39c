"""A plan that waits has the commands that go on with it, and one that is void none that would be refused."""

from __future__ import annotations

import io

from memrunbook.core.instant import Instant
from memrunbook.core.units import HOUR
from memrunbook.ui.pending import WaitingView, pending_view
from memrunbook.ui.screen import Screen

NOW = Instant(1.8e9, 0.0)
PLAN = WaitingView(
    id="0a1b2c3d", host="web1", runbook="memory-leak", creator="schedule:night", at=NOW.utc - 3 * HOUR,
    until=NOW.utc + 2 * HOUR, steps=("restart: Restart api (risk medium)",), why=("it leaks",), people="", approve="",
    apply="runbook apply P", decline="runbook pending --decline 0a1b2c3d", void="", again="runbook plan memory-leak",
)  # fmt: skip


def drawn(*plans: WaitingView) -> str:
    stream = io.StringIO()
    Screen("never", stream).show(pending_view(plans, NOW))
    return stream.getvalue()


def test_what_waits_says_how_long_why_and_what_to_type() -> None:
    shown = drawn(PLAN)
    assert shown.startswith("1 plan waits for a person\n")
    assert "0a1b2c3d  web1  memory-leak, by schedule:night, 3 h ago, for 2 h more" in shown
    assert "why: it leaks" in shown
    assert "apply it:  runbook apply P" in shown
    assert "approve" not in shown, "nobody else need"
    assert "plan anew" not in shown


def test_who_must_approve_stands_before_what_applies_it() -> None:
    shown = drawn(PLAN._replace(people="1 more person approves it", approve="runbook approve P"))
    assert shown.index("1 more person approves it:  runbook approve P") < shown.index("runbook apply P")


def test_one_that_cannot_be_applied_any_more_is_planned_anew_or_declined() -> None:
    shown = drawn(
        PLAN._replace(void="the plan has expired", until=NOW.utc - 1, approve="runbook approve P"),
        PLAN._replace(id="99999999"),
    )
    first, _, _ = shown.partition("99999999")
    assert "2 plans wait for a person" in first
    assert "expired" in first
    assert "void: the plan has expired" in first
    assert "plan anew:  runbook plan memory-leak" in first
    assert "decline it:  runbook pending --decline 0a1b2c3d" in first
    assert "runbook approve P" not in first
    assert "runbook apply P" not in first


def test_nothing_waits() -> None:
    assert drawn() == "No plan waits for anybody.\n"
