"""`--watch`: how long, how often, what is said meanwhile, and that Ctrl-C ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.books import book, look
from tests.cli.console import here, terminal

from memrunbook.app.reading import sampling_of
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.core.runbook.spec import Sampling


@pytest.mark.parametrize(
    ("watch", "count", "every"),
    [(None, 3, 5.0), (300.0, 31, 10.0), (3600.0, 361, 10.0), (80.0, 9, 10.0), (60.0, 9, 7.5), (10.0, 9, 1.25)],
)
def test_a_watch_reads_every_ten_seconds_and_at_least_nine_times(watch: float | None, count: int, every: float) -> None:
    found = sampling_of(watch, Sampling(), [Host("db7")])
    assert (found.count, found.every) == (count, every)


def test_a_recording_cannot_be_watched() -> None:
    with pytest.raises(UsageError, match="--watch: a recording"):
        sampling_of(60.0, Sampling(), [Host("x", transport="replay")])


@pytest.mark.parametrize("command", [["diagnose"], ["plan", "oom-event"], ["run", "oom-event"]])
def test_a_watch_is_bounded(command: list[str]) -> None:
    here(*command, "--host=local", "--watch", "9s").refused(2, "--watch: 9s is not from 10s to 1h", hint="5m")
    here(*command, "--host=local", "--watch=61m").refused(2, "is not from 10s to 1h", hint="5m")
    here(*command, "--host=local", "--watch=5").refused(2, "--watch: '5' is no duration", hint="5m")


def test_a_watch_from_a_script_is_bounded_too() -> None:
    for wrong in (9.0, 3601.0):
        with pytest.raises(UsageError, match="is not from 10s to 1h"):
            sampling_of(wrong, Sampling(), [Host("db7")])


@pytest.mark.usefixtures("machine")
def test_a_run_judges_what_it_watched_and_its_journal_tells_so(tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, look("one", "uptime"))
    ran = here("run", path, "--host=local", "--watch=10s", "--yes", "--json")
    summary = json.loads(ran.out.splitlines()[-1])["hosts"][0]
    assert (ran.code, summary["outcome"]) == (0, "resolved"), ran.said
    assert summary["steps"][0]["effect"] == ""
    assert list(summary["steps"][0]["signals"]["before"]) == ["memory.available_percent"]
    [journal] = (state / "runs").glob("*/local.jsonl")
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    first = next(record["request"] for record in records if record.get("event") == "asked")
    assert (first["count"], first["every"], first["why"]) == (9, 1.25, "watched before the diagnosis")
    snapshot = next(record["answer"] for record in records if record.get("event") == "answered")
    assert snapshot["samples"] == 9
    assert snapshot["readings"]["units"].get("samples", 9) == 9


def test_off_a_terminal_a_watch_says_once_how_long_it_takes(tmp_path: Path) -> None:
    path = book(tmp_path, look("one", "uptime"))
    ran = here("plan", path, "--host=local", "--watch=10s", "--json")
    assert ran.err == "watching local, 9 samples, about 10 s\n"
    assert json.loads(ran.out)["hosts"][0]["runbooks"] == [
        {"runbook": "small", "severity": "warning", "incident": "holds", "why": "", "causes": []}
    ]


def test_ctrl_c_ends_a_watch_at_once() -> None:
    with terminal("diagnose", "--host", "local", "--watch", "5m") as screen:
        screen.expect("watching local, 31 samples, about 5 min; Ctrl-C to give up")
        screen.type("\x03")
        assert screen.wait(10) == 130
    assert "Interrupted" in screen.drawn
    assert "Traceback" not in screen.drawn


def test_ctrl_c_ends_the_watch_of_a_run_with_its_end_recorded(tmp_path: Path, state: Path) -> None:
    path = book(tmp_path, look("one", "uptime"))
    with terminal("run", path, "--host", "local", "--watch", "5m") as screen:
        screen.expect("watched before the diagnosis), about 5 min")
        screen.type("\x03")
        assert screen.wait(10) == 130, screen.drawn
    assert "Traceback" not in screen.drawn
    [journal] = (state / "runs").glob("*/local.jsonl")
    assert json.loads(journal.read_text().splitlines()[-1])["record"]["outcome"] == "interrupted"
    assert here("audit", "verify").code == 0
