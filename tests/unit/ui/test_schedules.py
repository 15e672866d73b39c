from __future__ import annotations

import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest

from memrunbook.core.schedule import Moment
from memrunbook.ui.block import Block
from memrunbook.ui.schedules import FiringLine, ScheduleLine, firings_view, list_view, preview_view
from memrunbook.ui.screen import Screen

LINE = ScheduleLine("night", "active", 'cron "30 2 * * *" UTC', "plans r on h", "soon", "4 s ago", "done", "", "")


def drawn(blocks: list[Block]) -> str:
    stream = io.StringIO()
    Screen("never", stream).show(blocks)
    return stream.getvalue()


def test_a_schedule_says_how_it_stands_and_what_to_do() -> None:
    shown = drawn(list_view([LINE, LINE._replace(name="off", state="paused", why="by ada", hint="runbook x", next="")]))
    assert shown.startswith("2 schedules\n")
    assert "next: soon" in shown
    assert "last: done 4 s ago" in shown
    assert "to go on:  runbook x" in shown
    assert "There is no schedules.yaml" in drawn(list_view([]))


@pytest.mark.parametrize(
    ("oddity", "words"), [("moved", "put forward"), ("first", "the first"), ("again", "the second")]
)
def test_what_clocks_do_is_marked(oddity: str, words: str) -> None:
    nominal = dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC).timestamp()
    moment = Moment("night", nominal, nominal + 61, oddity)  # type: ignore[arg-type]
    shown = drawn(preview_view("night", "Europe/Berlin", [moment], ZoneInfo("Europe/Berlin")))
    assert "Sun 2026-03-29 03:00:00+0200  2026-03-29 01:00:00 UTC" in shown
    assert "+61 s jitter" in shown
    assert words in " ".join(shown.split())
    once = drawn(preview_view("night", "UTC", [moment], dt.UTC))
    assert once.count("01:00:00") == 1, "local time is UTC"
    assert "Sun 2026-03-29 01:00:00 UTC" in once
    assert "fires no more" in drawn(preview_view("night", "UTC", [], dt.UTC))


def test_a_firing_says_what_became_of_it() -> None:
    shown = drawn(firings_view([FiringLine("night@x", "missed", "01:00 UTC", "", "nobody was there", 8)]))
    assert "night@x  missed   01:00 UTC and 7 before it" in shown
    assert "nobody was there" in shown
    ran = drawn(firings_view([FiringLine("night@x", "done", "01:00 UTC", "runbook report R1", "", 1)]))
    assert "runbook report R1" in ran
    assert "No firing so far" in drawn(firings_view([]))
