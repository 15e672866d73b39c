"""Processes whose names are meant to break parsers, shells and screens: they are only names, wherever they appear."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.books import HEAD
from tests.cli.console import Ran, here, terminal
from tests.holding import MIB, holding
from tests.unit.ui.html.parsed import parsed, words

NAMES = [
    b"\x1b[31m\x1b[2J\x1b]0;x\a",
    b"[/bold][red]",
    b"$(reboot)`id`",
    b"a\nVmRSS: 1 kB\n",
    b"\xff\xfe\xc3(\x80",
    b"x) R 1 1 1 ((",
    "\u202eevil\u2066".encode(),
    b"@@nonce end 0\n",
    b"",
]
RUNBOOK = (
    HEAD.format(
        name="hostile",
        resolved="false",
        more="causes:\n  - {kind: process, from: processes.all, name: item.name, score: item.rss_bytes}\n",
    )
    + """\
  - id: each
    name: Look at each
    action: run_check_command
    for_each: processes.all
    limit: 40
    with: {command: [uptime]}
  - id: ask
    name: Ask for each
    action: run_check_command
    for_each: processes.all
    limit: 40
    with: {command: [touch, /nonexistent/x]}
"""
)


@pytest.fixture(scope="module")
def processes() -> Iterator[None]:
    """One process of each name, each large enough to be among those that are shown."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    size = max(8 * MIB, total // 700)
    with ExitStack() as started:
        for name in NAMES:
            started.enter_context(holding(size, name))
        started.enter_context(holding(size, b"long", "x" * 10_000))
        yield


def _harmless(ran: Ran) -> None:
    ran.plain()
    assert "Traceback" not in ran.said
    assert "defect" not in ran.said
    for sign in ("\u202e", "\u2066"):
        assert sign not in ran.said


@pytest.mark.usefixtures("processes")
def test_facts_show_them_as_plain_text_and_json_as_strings() -> None:
    shown = here("facts", "processes", "--host", "local", "--samples", "1")
    _harmless(shown)
    for text in (r"\x1b[31m\x1b[2J", "[/bold][red]", "$(reboot)`id`", r"\u202eevil"):
        assert text in shown.out, shown.out
    told = json.loads(here("facts", "processes", "--host", "local", "--samples", "1", "--json").out)
    [every] = [metric["value"] for metric in told["hosts"][0]["metrics"] if metric["name"] == "processes.all"]
    names = {process["name"] for process in every}
    assert "[/bold][red]" in names
    assert any("\x1b[31m" in name or "\\033[31m" in name for name in names)
    assert all(process["rss_bytes"] > 0 for process in every)


@pytest.mark.usefixtures("processes", "machine")
def test_a_run_takes_them_for_items_without_tripping(tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(RUNBOOK, encoding="utf-8")
    planned = here("plan", str(path), "--host", "local")
    _harmless(planned)
    assert planned.code == 0
    ran = here("run", str(path), "--host", "local")
    _harmless(ran)
    assert ran.code == 5, ran.said
    assert "[/bold][red]" in ran.out
    _harmless(here("report", "last"))
    page = here("report", "last", "--html", "-")
    _harmless(page)
    assert "[/bold][red]" in words(parsed(page.out)), "a strict parser finds no element and no attribute but ours"
    assert here("audit", "verify").code == 0


@pytest.mark.usefixtures("processes", "machine")
def test_a_gate_at_a_terminal_draws_no_escape_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(RUNBOOK, encoding="utf-8")
    with terminal("run", str(path), "--host", "local", columns=80) as screen:
        screen.expect("y/N", 60)
        screen.type("d\n")
        screen.expect("y/N")
        screen.type("Q\n")
        assert screen.wait() == 5
    assert "\x1b[31m\x1b[2J" not in screen.raw
    assert "\x1b]0;x" not in screen.raw
    assert "\u202e" not in screen.raw
    assert "Traceback" not in screen.drawn
