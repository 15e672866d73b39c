"""What serves an assistant loads nothing that changes anything, whatever it is asked."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from tests.assistant import call, loaded, talk
from tests.cli.console import MAIN, environment

ROOT = Path(__file__).parents[2]
APP = ROOT / "src" / "memrunbook" / "app"
RECORDED = ROOT / "tests" / "hosts" / "swap-thrash.txt"
[CONTRACT] = [
    one
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    if one["name"] == "An assistant can run and approve nothing"
]
FORBIDDEN = frozenset(CONTRACT["forbidden_modules"])
LOOKS = {
    "accounting", "actor", "braking", "carried_errors", "carried_looks", "choosing", "connectors", "diagnosing",
    "elsewhere", "entering", "explaining", "following", "handling", "held_up", "learning", "looking_back",
    "looking_elsewhere", "measuring", "moments", "notice", "once", "outage", "past_leaks", "pending_plans",
    "planning", "proposing", "reading", "remembering", "reporting", "retracing", "ruling", "saving", "sharing_plans",
    "shown_pending", "shown_report", "shown_runs", "sites", "stored", "tuning",
}  # fmt: skip
"""What an assistant, or whoever starts its server, needs: each was looked at; none changes a host, or says yes."""


def test_each_use_case_is_one_that_looks_or_is_forbidden() -> None:
    known = {path.stem for path in APP.glob("[!_]*.py")}
    forbidden = {name.removeprefix("memrunbook.app.") for name in FORBIDDEN if name.startswith("memrunbook.app.")}
    assert not forbidden & LOOKS
    assert known == forbidden | LOOKS, "decide whether an assistant may load it"
    assert CONTRACT["source_modules"] == ["memrunbook.mcp"]
    assert "allow_indirect_imports" not in CONTRACT
    assert "ignore_imports" not in CONTRACT


def test_what_the_contract_forbids_is_there() -> None:
    for name in FORBIDDEN:
        assert (ROOT / "src" / f"{name.replace('.', '/')}.py").exists(), name


@pytest.mark.slow
def test_no_module_that_changes_is_loaded_after_every_tool_was_called(tmp_path: Path) -> None:
    books = tmp_path / "books"
    books.mkdir()
    (books / "own.yaml").write_text(BOOK, encoding="utf-8")

    async def everything(client: Client) -> set[str]:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        log = "[1.0] Out of memory: Killed process 1 (a) total-vm:9kB, anon-rss:8kB, file-rss:0kB\n"
        hosts: dict[str, Any] = {"hosts": ["local"]}
        asked: dict[str, dict[str, Any]] = {
            "diagnose": hosts | {"quick": True},
            "facts": hosts | {"metrics": ["memory"], "samples": 1},
            "plan": hosts | {"runbook": "own"},
            "propose": hosts | {"runbook": "own"},
            "oom_log": {"text": log},
            "history": hosts,
            "report": {},
        }
        assert set(asked) == tools
        for name, arguments in asked.items():
            said = await call(client, name, **arguments)
            assert said.failed is (name == "report"), said.text
            assert name != "propose" or said.document["proposed"]
        return tools

    state = tmp_path / "state"
    words = ("--host", "local", "--runbooks", str(books), "--state-dir", str(state))
    _, log = talk(*words, to=everything)
    known = loaded(log)
    assert {"memrunbook.mcp.proposing", "memrunbook.app.planning", "memrunbook.transports.local"} <= known
    assert not known & FORBIDDEN


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("list",), ("oom-log", "/dev/null"), ("diagnose", "--quick", "--replay", str(RECORDED))], ids=" ".join
)
def test_no_other_command_loads_anything_of_it(words: tuple[str, ...]) -> None:
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{MAIN}"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=100,
    )
    found = set(done.stderr.splitlines()[-1].split())
    assert "memrunbook.cli.main" in found, done.stderr
    assert not found & {"mcp", "mcp_types", "pydantic", "anyio", "memrunbook.mcp"}


BOOK = """\
apiVersion: memrunbook/v1
name: own
title: A test
sample: {count: 2, every: 200ms}
signals: [memory.available_percent]
checks:
  - id: memory
    name: The host has memory
    when: memory.total_bytes > 0
    severity: warning
incident: checks.memory
resolved: {that: "memory.total_bytes > 0"}
steps:
  - id: one
    name: Act
    action: run_command
    with: {command: ["true"], risk: low, timeout: 10s}
    verify: {that: "memory.total_bytes > 0", within: 3s}
"""
