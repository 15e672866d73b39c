"""The files of docs/how-to/team-control-node.md, together, as they stand there: only the public keys are made here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.console import ROOT, here

PAGE = (ROOT / "docs/how-to/team-control-node.md").read_text("utf-8")
SHOWN = re.compile(r'```\w+ title="/etc/memrunbook/([\w.]+)"\n(.*?)```', re.DOTALL)
FILES = dict(SHOWN.findall(PAGE))
VALID = "OK: no problems in 10 runbooks, config.yaml, services.yaml and schedules.yaml"
PLACEHOLDER = "ssh-ed25519 AAAA..."


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the rules; the state directory has the mode that the page gives it."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen (openssh-client) is not installed here")
    folder, state = tmp_path / "team", tmp_path / "shared"
    folder.mkdir()
    state.mkdir()
    state.chmod(0o3770)
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(state))
    for name, text in FILES.items():
        (folder / name).write_text(text)
    signers = FILES["allowed_signers"]
    while PLACEHOLDER in signers:
        key = tmp_path / f"key{signers.count(PLACEHOLDER)}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        signers = signers.replace(PLACEHOLDER, " ".join(key.with_suffix(".pub").read_text().split()[:2]), 1)
    (folder / "allowed_signers").write_text(signers)
    (folder / "hook.secret").touch(0o600)
    (folder / "hook.secret").write_text("f" * 64 + "\n")
    return folder


def test_the_page_has_all_of_them() -> None:
    assert set(FILES) == {"hosts.ini", "config.yaml", "allowed_signers", "services.yaml", "schedules.yaml"}


def test_they_are_valid_together(team: Path) -> None:
    said = here("validate", "--config-dir", str(team))
    assert said.code == 0, said.said
    assert said.out == f"{VALID}\n"
    assert VALID in PAGE


def test_nothing_is_missing_but_the_scheduler_that_was_not_started_yet(team: Path) -> None:
    found = json.loads(here("doctor", "--config-dir", str(team), "--json").out)["here"]
    assert [one["name"] for one in found if one["state"] == "missing"] == ["scheduler"]
    assert "2 keys" in next(one["said"] for one in found if one["name"] == "allowed_signers")


def test_its_hosts_and_schedules_are_usable(team: Path) -> None:
    options = ("--config-dir", str(team))
    assert here("hosts", "--check", *options).code == 0
    hosts = here("hosts", *options)
    assert {"web-01", "web-02", "db-01"} <= set(re.findall(r"\b(?:web|db)-\d\d\b", hosts.out))
    listed = json.loads(here("schedule", "list", "--json", *options).out)["schedules"]
    assert [one["name"] for one in listed] == ["care", "nightly-leaks"]
    assert not [one for one in listed if one["state"] == "broken"]
