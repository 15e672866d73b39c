"""Small runbooks for these tests: quick samples, an incident that always applies, changes that do no harm."""

from __future__ import annotations

from pathlib import Path

HEAD = """\
apiVersion: memrunbook/v1
name: {name}
title: A test
sample: {{count: 2, every: 200ms}}
signals: [memory.available_percent]
checks:
  - id: memory
    name: The host has memory
    when: memory.total_bytes > 0
    severity: warning
incident: checks.memory
resolved: {{that: "{resolved}"}}
{more}steps:
"""
LOOK = """\
  - id: {id}
    name: Look with {id}
    action: run_check_command
    with: {{command: [{command}], timeout: {timeout}}}
    on_failure: {on_failure}
"""
ACT = """\
  - id: {id}
    name: Act with {id}
    action: run_command
    with: {{command: [{command}], risk: {risk}, timeout: {timeout}}}
    verify: {{that: "{verify}", within: 3s}}
"""


def look(name: str, *command: str, timeout: str = "10s", on_failure: str = "stop") -> str:
    """A step that only looks; with a program that is no known reader it has a gate of low risk."""
    return LOOK.format(id=name, command=_quoted(command), timeout=timeout, on_failure=on_failure)


def act(
    name: str, *command: str, risk: str = "low", timeout: str = "10s", verify: str = "memory.total_bytes > 0"
) -> str:
    """A once-only step."""
    return ACT.format(id=name, command=_quoted(command), risk=risk, timeout=timeout, verify=verify)


def book(
    folder: Path, *steps: str, name: str = "small", resolved: str = "memory.total_bytes > 0", more: str = ""
) -> str:
    """Writes a runbook; the path of its file."""
    path = folder / f"{name}.yaml"
    path.write_text(HEAD.format(name=name, resolved=resolved, more=more) + "".join(steps), encoding="utf-8")
    return str(path)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)
