"""Every `--json` prints a document of its own name that its schema describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from tests.cli.books import book, look
from tests.cli.console import ROOT, here

from memrunbook.cli.main import group
from memrunbook.documents.printed import documents

RECORDED = ROOT / "tests" / "facts"
LOG = "[  100.000000] Out of memory: Killed process 42 (java) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n"


def valid(document: dict[str, Any], schema: str) -> None:
    rules = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(rules).validate(document)


def printed(words: tuple[str, ...]) -> dict[str, Any]:
    """The one document that a command prints."""
    found: dict[str, Any] = json.loads(here(*words, "--json").out)
    return found


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "host.replay"
    meminfo = "MemTotal: 1000 kB\nMemFree: 900 kB\nMemAvailable: 900 kB\n"
    path.write_text(f"@@case begin 5.0\n@@case file /proc/meminfo\n{meminfo}@@case end 5.1\n", encoding="utf-8")
    return path


def with_json(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if isinstance(command, click.Group):
        inner = (with_json(one, (*path, name)) for name, one in command.commands.items())
        return [found for several in inner for found in several]
    return [path] if any("--json" in option.opts for option in command.params) else []


# Words behind each command, and the document that it prints.
SAID: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {
    ("list",): ((), "list"),
    ("show",): (("oom-event",), "show"),
    ("validate",): (("./{folder}/bad.yaml",), "problems"),
    ("facts",): (("--replay", "{bundle}"), "facts"),
    ("diagnose",): (("--replay", "{bundle}"), "diagnose"),
    ("plan",): (("memory-shortage", "--replay", "{bundle}"), "plan"),
    ("run",): (("{book}", "--host", "local", "--yes"), "run"),
    ("apply",): (("{plan}",), "run"),
    ("record",): (("--replay", "{bundle}", "-o", "{folder}/again.txt"), "recording"),
    ("runs",): ((), "runs"),
    ("history",): (("--host", "db"), "history"),
    ("import-history",): (("sar", "--host", "local"), "imported"),
    ("report",): (("last",), "report"),
    ("undo",): (("last", "--dry-run"), "undo"),
    ("audit", "verify"): ((), "audit"),
    ("audit", "show"): (("last",), "audit-show"),
    ("oom-log",): (("{log}",), "oom-log"),
    ("doctor",): ((), "doctor"),
    ("hosts",): (("-i", "a,b"), "hosts"),
    ("notify", "list"): ((), "notifications"),
    ("pending",): ((), "pending"),
    ("schedule", "list"): (("--config-dir", "{folder}"), "schedule-list"),
    ("schedule", "preview"): (("--config-dir", "{folder}", "--count", "2"), "schedule-preview"),
    ("schedule", "firings"): ((), "schedule-firings"),
    ("schedule", "score"): ((), "score"),
}

# What these print with --format jsonl: a line a host, and a last one.
BY_HOST = {"diagnose": "diagnose-host", "plan": "plan-host", "facts": "facts-host"}

# `runs --unit` prints it, which test_history.py tries.
OF_A_UNIT = {"restarts"}

# It prints the stream of `run`, and is tried where there is a run to go on with.
NEED_A_RUN = {("resume",)}
# Tried where there is a document to read (test_alert.py), somebody who is handed one (test_notify.py), an assistant.
ELSEWHERE = {("alert",): "alert", (): "notification", ("mcp",): "proposal"}


def test_every_command_with_json_is_tried_here() -> None:
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    found = [path for name, command in commands.items() if command for path in with_json(command, (name,))]
    assert set(found) - NEED_A_RUN - set(ELSEWHERE) == set(SAID)
    schemas = {schema for _, schema in SAID.values()} | set(BY_HOST.values()) | set(ELSEWHERE.values()) | OF_A_UNIT
    assert schemas | {"hosts-ended"} == set(documents())


@pytest.mark.usefixtures("machine")
def test_what_a_command_prints_is_what_its_schema_says(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: 5\n", encoding="utf-8")
    (tmp_path / "schedules.yaml").write_text("schedules: [{name: a, every: 1h, runbook: oom-event, hosts: b}]\n")
    (tmp_path / "kern.log").write_text(LOG, encoding="utf-8")
    places = {"folder": tmp_path, "bundle": bundle, "book": book(tmp_path, look("one", "uptime")),
              "log": tmp_path / "kern.log", "plan": tmp_path / "plan.json"}  # fmt: skip
    here("plan", str(places["book"]), "--host", "local", "--out", str(places["plan"]))
    for streams in ("run", "apply"):
        ran = here(streams, *(word.format(**places) for word in SAID[streams,][0]), "--json")
        *records, summary = [json.loads(line) for line in ran.out.splitlines()]
        assert [record["event"] for record in records[:2]] == ["asked", "answered"]
        for record in records:
            valid(record, "record")
        valid(summary, "run")
    for command, (words, schema) in SAID.items():
        if command not in (("run",), ("apply",)):
            document = printed((*command, *(word.format(**places) for word in words)))
            assert document["format"] == f"memrunbook.{schema}/1"
            valid(document, schema)


@pytest.mark.parametrize("command", list(BY_HOST))
def test_a_line_a_host_is_what_the_whole_document_says_of_it(command: str, bundle: Path) -> None:
    words = [word.format(bundle=bundle) for word in SAID[command,][0]]
    whole = here(command, *words, "--json")
    ran = here(command, *words, "--format", "jsonl")
    told, end = [json.loads(line) for line in ran.out.splitlines()]
    valid(told, BY_HOST[command])
    valid(end, "hosts-ended")
    document = json.loads(whole.out)
    assert told.pop("format") == f"memrunbook.{BY_HOST[command]}/1"
    assert [told] == document.pop("hosts")
    assert end["of"] == document.pop("format")
    assert end["rest"] == document
    assert ran.code == whole.code == end["exit_code"]
    assert end["outcomes"] == {told["outcome"]: 1}


def test_other_answers_are_one_line(tmp_path: Path) -> None:
    ran = here("list", "--format", "jsonl")
    assert ran.out.count("\n") == 1
    assert json.loads(ran.out) == json.loads(here("list", "--json").out)


def test_a_shown_runbook_is_a_runbook() -> None:
    valid(printed(("show", "swap-thrashing"))["runbook"], "runbook")


def test_a_format_is_named_or_refused(tmp_path: Path) -> None:
    assert here("list", "--format", "json").out == here("list", "--json").out
    assert here("list", "--format", "text").out == here("list").out
    here("list", "--format", "xml").refused(2, "there is no format 'xml'", hint="there are: json, jsonl, text")


def test_two_formats_are_refused_before_anything_is_done(tmp_path: Path, bundle: Path) -> None:
    here("list", "--json", "--format", "text").refused(2, "ask for two formats", hint="leave one")
    plan = tmp_path / "plan.json"
    words = ("plan", "memory-shortage", "--replay", str(bundle), "--out", str(plan))
    here(*words, "--format", "xml").refused(2, "there is no format 'xml'", hint="json")
    assert not plan.exists()


def test_a_transport_that_is_none_is_refused_before_a_run_begins(state: Path) -> None:
    here("run", "oom-event", "--host", "db7", "--transport", "nosuch").refused(2, "no transport 'nosuch'", hint="ssh")
    here("diagnose", "--host", "db7", "--transport", "local").refused(2, "only this machine", hint="--host local")
    assert not (state / "runs").exists()


def test_a_folder_that_is_called_shipped_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shipped").mkdir()
    wrong = book(tmp_path / "shipped", look("one", "uptime"), name="wrong", resolved="nosuch.metric > 0")
    assert Path(wrong).exists()
    ran = here("diagnose", "--host", "local", "--quick", "--runbooks", "shipped")
    assert "left out" in ran.err
    assert "nosuch.metric" in ran.err
    assert "./shipped" in here("list", "--runbooks", "shipped").out


def test_a_quick_look_does_not_watch() -> None:
    here("diagnose", "--host", "local", "--quick", "--watch", "1m").refused(2, "does not watch", hint="leave")
