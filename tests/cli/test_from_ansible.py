"""The same task in Ansible and here, as docs/how-to/from-ansible.md shows both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.console import here

from memrunbook.cli.exit_codes import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/from-ansible.md").read_text("utf-8")
PLAY, BOOK, POLICY, BOTH = re.findall(r"```yaml[^\n]*\n(.*?)```", PAGE, re.DOTALL)
LEAKS, HEALTHY = (str(ROOT / f"tests/hosts/{name}.txt") for name in ("two-growing", "idle-healthy"))
OF_A_TASK = {
    "name", "loop", "loop_control", "register", "changed_when", "failed_when", "check_mode", "when", "until", "retries",
    "delay",
}  # fmt: skip
PLAYBOOK = shutil.which("ansible-playbook", path=f"{ROOT}/.venv-peers/ansible/bin:{os.environ['PATH']}")


def step(folder: Path, recording: str, policy: str) -> dict[str, Any]:
    """What the plan says of the runbook's only step, with this services.yaml."""
    (folder / "services.yaml").write_text(policy)
    (folder / "restart-leaker.yaml").write_text(BOOK)
    book = str(folder / "restart-leaker.yaml")
    assert here("validate", book).code == 0
    planned = here("plan", book, "--replay", recording, "--config-dir", str(folder), "--json")
    assert planned.code == 0, planned.said
    (found,) = yaml.safe_load(planned.out)["hosts"][0]["steps"]
    return dict(found)


@pytest.mark.parametrize(
    ("recording", "allowed", "decision", "why"),
    [
        (LEAKS, "yes", "change", ""),
        (LEAKS, "no", "not_needed", "not wanted"),
        (HEALTHY, "yes", "not_needed", "the incident does not apply"),
    ],
)
def test_it_is_restarted_where_it_leaks_and_its_owners_allow_it(
    tmp_path: Path, recording: str, allowed: str, decision: str, why: str
) -> None:
    found = step(tmp_path, recording, POLICY.replace("restart: yes", f"restart: {allowed}"))
    assert found["decision"] == decision, found
    assert why in found.get("why", "")
    if decision == "change":
        assert (found["action"], found["target"], found["risk"]) == ("restart_unit", "leaker.service", "medium")


def test_without_an_entry_nobody_allowed_it(tmp_path: Path) -> None:
    assert step(tmp_path, LEAKS, "services: []\n")["decision"] == "not_needed"


@pytest.mark.parametrize("text", [PLAY, BOTH])
def test_the_plays_are_plays(text: str, tmp_path: Path) -> None:
    (play,) = yaml.safe_load(text)
    for task in play["tasks"]:
        (module,) = set(task) - OF_A_TASK
        assert module.startswith("ansible.builtin."), task["name"]
    if not PLAYBOOK:
        return
    (tmp_path / "play.yaml").write_text(text)
    command = [PLAYBOOK, "-i", "web01,", "--syntax-check", str(tmp_path / "play.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_exit_codes_that_a_play_meets_are_the_commands() -> None:
    shown = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert shown
    assert shown <= set(TABLE)
