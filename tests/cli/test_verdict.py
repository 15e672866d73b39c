"""The verdict as a script and a person see it: unknown is never 0, and a parameter that nobody has is a mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.cli.console import here
from tests.golden import samples as s

from memrunbook.cli import exit_codes
from memrunbook.cli.commands.diagnose import _code_of
from memrunbook.core.errors import SessionLost
from memrunbook.core.host import Host
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.core.runbook.condition import Verdict

HOST = Host("search-03")
UNKNOWN = s.runbook_diagnosis("unknown", findings=(s.AT_LIMIT,), causes=())
CALM = structs.replace(s.LEAK, findings=(), incident=Verdict("fails"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A host of which next to nothing could be read."""
    path = tmp_path / "blind.replay"
    path.write_text(
        "@@case begin 5.0\n@@case file /proc/meminfo\nMemTotal: 1000 kB\n@@case end 5.1\n", encoding="utf-8"
    )
    return path


@pytest.mark.parametrize(
    ("entries", "fail_on", "code"),
    [
        ((s.runbook_diagnosis(),), "incident", 8),
        ((s.LEAK,), "incident", 0),
        ((s.LEAK,), "warning", 8),
        ((s.TUNING,), "warning", 0),
        ((UNKNOWN,), "incident", 9),
        ((UNKNOWN,), "warning", 9),
        ((UNKNOWN, s.LEAK), "warning", 8),
        ((UNKNOWN, s.runbook_diagnosis()), "incident", 8),
        ((CALM,), "warning", 0),
    ],
)
def test_the_code_of_one_host(entries: Any, fail_on: str, code: int) -> None:
    primary = next((entry.runbook for entry in entries if entry.incident.holds), "")
    judged = Judged(Reached(HOST, s.snapshot()), s.diagnosis(*entries, primary=primary))
    assert _code_of(judged, fail_on) == code


def test_a_host_that_was_lost_is_not_reached() -> None:
    assert _code_of(Judged(Reached(HOST, error=SessionLost("gone"))), "incident") == 4


def test_over_many_hosts_the_most_severe_wins() -> None:
    order = [1, 6, 7, 130, 3, 4, 5, 2, 8, 9, 0]
    assert list(exit_codes.SEVERITY) == order
    assert set(exit_codes.TABLE) == set(order)
    assert exit_codes.worst([0, 9, 8]) == 8
    assert exit_codes.worst([0, 9]) == 9


@pytest.mark.parametrize("words", [("diagnose",), ("diagnose", "--quick"), ("plan", "oom-event")])
def test_what_could_not_be_judged_is_unknown_and_nine(words: tuple[str, ...], bundle: Path) -> None:
    ran = here(*words, "--replay", str(bundle))
    assert (ran.code, ran.out.split(":")[0]) == (9, "UNKNOWN")
    [host] = json.loads(here(*words, "--replay", str(bundle), "--json").out)["hosts"]
    assert host["outcome"] == "not-judged"
    assert "oom-event" in host["unjudged"]


def test_a_parameter_goes_to_every_runbook_that_has_it(bundle: Path) -> None:
    here("diagnose", "--replay", str(bundle), "-p", "widnow=1h").refused(
        2, "no runbook has", hint="did you mean 'window'"
    )
    here("diagnose", "--replay", str(bundle), "-p", "window=long").refused(2, "is no duration")
    assert here("diagnose", "--replay", str(bundle), "-p", "window=1h").code == 9


def test_a_tag_is_a_metric_and_makes_no_swap_fine(tmp_path: Path) -> None:
    path = tmp_path / "no-swap.replay"
    meminfo = "MemTotal: 1000 kB\nMemFree: 900 kB\nMemAvailable: 900 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    path.write_text(f"@@case begin 5.0\n@@case file /proc/meminfo\n{meminfo}@@case end 5.1\n", encoding="utf-8")

    def remarks(*tags: str) -> set[str]:
        [host] = json.loads(here("diagnose", "--replay", str(path), "--json", *tags).out)["hosts"]
        return {one["runbook"] for one in host["findings"] if one["check"] == "no-swap" and one["state"] == "firing"}

    assert remarks() == {"swap-capacity", "preventive-maintenance"}
    assert remarks("--tag", "realtime") == set()
