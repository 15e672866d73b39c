"""Messages in the list: what is not there yet says why, and when it is tried again."""

from __future__ import annotations

import io

from msgspec import structs

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.queued import Queued
from memrunbook.ui.notifications import notifications_view
from memrunbook.ui.screen import Screen

NOW = 1.8e9
SENT = Queued(
    id=1, receiver="hook", notification=Notification(occasion="failed", key="k", at=NOW, verdict="web1: it failed"),
    queued=NOW - 60, seen=1, seen_at=NOW - 60, state="sent", attempts=1, due=NOW - 60, ended=NOW - 59,
)  # fmt: skip


def drawn(*found: Queued) -> str:
    stream = io.StringIO()
    Screen("never", stream).show(notifications_view(found, NOW))
    return " ".join(stream.getvalue().split())


def test_what_waits_says_why_and_when_it_is_tried() -> None:
    waits = structs.replace(SENT, state="waiting", due=NOW + 120, problem="it says 500", seen=3, ended=None)
    shown = drawn(SENT, waits)
    assert shown.startswith("2 messages: 1 waiting, 1 sent ")
    assert "web1: it failed (seen 3 times)" in shown
    assert "not taken: it says 500" in shown
    assert "next try: in 2 min" in shown
    assert shown.endswith("To send what waits now: runbook notify send --all")


def test_what_is_due_by_now_has_no_next_try_and_what_ended_nothing_to_send() -> None:
    assert "next try" not in drawn(structs.replace(SENT, state="waiting", due=NOW - 1, ended=None))
    given_up = drawn(structs.replace(SENT, state="given-up", problem="too old by now; it says 500"))
    assert "not taken: too old by now; it says 500" in given_up
    assert "runbook notify send" not in given_up
    assert "(seen" not in given_up


def test_nobody_was_told() -> None:
    assert drawn() == "Nobody was told anything yet."
