"""The documents that docs/ shows are valid ones."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from memrunbook.core.runbook.values import expressions_in
from memrunbook.documents.config import Config, load_config
from memrunbook.documents.runbooks import load_runbook
from memrunbook.documents.schedules import load_schedules
from memrunbook.documents.services import load_policy

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCKS = [
    pytest.param(text, id=f"{page.relative_to(DOCS)}-{number}")
    for page in sorted(DOCS.rglob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]
OF_RUNBOOKS = ("- id:", "with:")
WHOLE = [block for block in BLOCKS if str(block.values[0]).startswith("apiVersion:")]
SCHEDULES = [block for block in BLOCKS if str(block.values[0]).startswith("schedules:")]
STEPS = [block for block in BLOCKS if str(block.values[0]).startswith(OF_RUNBOOKS)]
RUNBOOK = """\
apiVersion: memrunbook/v1
name: shown
title: Shown
parameters:
  file: {type: string, default: /tmp/x}
  config: {type: string, default: /etc/x}
  count: {type: integer, default: 3}
checks:
  - {id: short, name: Memory is short, when: memory.available_percent < 10.0, severity: critical}
incident: checks.short
steps:
"""
STEP = """\
- id: shown
  name: Shown
  action: run_command
  verify: {that: memory.available_percent > 15.0}
"""


@pytest.mark.parametrize("text", STEPS)
def test_a_step_that_is_shown_is_one(text: str) -> None:
    step = text if text.startswith("- id:") else STEP + indent(text.rstrip() + "\n  risk: low\n", "  ")
    (bound,) = load_runbook(f"{RUNBOOK}{step}".encode(), "shown.yaml", "docs", {}).steps
    assert any(expressions_in(bound.values))


@pytest.mark.parametrize("text", WHOLE)
def test_a_runbook_that_is_shown_is_one(text: str) -> None:
    shown = load_runbook(text.encode(), "shown.yaml", "docs", {})
    assert shown.steps
    assert shown.parameters


@pytest.mark.parametrize("text", SCHEDULES)
def test_schedules_that_are_shown_are_some(text: str, tmp_path: Path) -> None:
    (tmp_path / "schedules.yaml").write_text(text, "utf-8")
    found = load_schedules(tmp_path / "schedules.yaml")
    assert len(found.jobs) == text.count("- name:") > 0
    assert not found.problems


@pytest.mark.parametrize("text", [block for block in BLOCKS if block not in [*STEPS, *WHOLE, *SCHEDULES]])
def test_a_policy_or_configuration_that_is_shown_is_one(text: str, tmp_path: Path) -> None:
    if not text.startswith("services:"):
        (tmp_path / "keys").mkdir()
        for name in ("allowed_signers", "revoked_keys", "known_hosts", "keys/id_ops", "store.password"):
            (tmp_path / name).touch(0o600)
        (tmp_path / "config.yaml").write_text(text, "utf-8")
        found = load_config(tmp_path / "config.yaml")
        assert found != Config() or found.said, "a default counts where it is said"
        assert len(found.approvals) == text.count("people:")
        return
    (tmp_path / "services.yaml").write_text(text, "utf-8")
    policy = load_policy(tmp_path / "services.yaml")
    assert len(policy.services) == text.count("- unit:") > 0


def test_every_file_that_the_house_names_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "memrunbook"
    named = re.findall(r"`([a-z_/]+\.py)`", text)
    assert len(named) > 10
    folders = ("", "runtime/", "core/run/", "core/reading/", "state/")
    assert [name for name in named if not any((source / folder / name).is_file() for folder in folders)] == []


def test_the_glossary_gives_each_word_one_line() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Words")[2]
    words = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)[1:]
    assert len(words) == len(set(words))
    assert 20 < len(words) < 45
