"""The first look: said on a terminal before the sample interval passes, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.books import book, look
from tests.cli.console import apart, here, terminal

ENDS = {"plan": "Nothing was changed.", "run": "RESOLVED"}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("command", ["plan", "run"])
def test_it_comes_before_the_verdict(tmp_path: Path, command: str) -> None:
    path = book(tmp_path, look("one", "uptime"))
    with terminal(command, path, "--host", "local") as told:
        told.expect("first look: ")
        told.expect("available (")
        told.expect(ENDS[command])
        assert told.wait() == 0
        assert told.drawn.count("first look: ") == 1


def test_it_is_not_said_off_a_terminal_nor_of_single_samples(tmp_path: Path) -> None:
    path = book(tmp_path, look("one", "uptime"))
    assert "first look" not in apart("plan", path, "--host", "local").said
    with terminal("diagnose", "--host", "local", "--quick") as told:
        told.wait()
        assert "first look" not in told.drawn
    with terminal("facts", "--host", "local", "memory", "--every", "0.2") as told:
        assert told.wait() == 0
        assert "first look" not in told.drawn


def test_a_quick_judgement_says_what_it_could_not_know() -> None:
    [host] = json.loads(here("diagnose", "--host", "local", "--quick", "--json").out)["hosts"]
    unknown = [finding for finding in host["findings"] if finding["state"] == "unknown"]
    assert any("a rate needs two samples" in finding["why"] for finding in unknown)
