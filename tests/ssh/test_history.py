"""Hosts behind a real sshd leave points; one machine under two names has one history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.console import here
from tests.sshd import Sshd


def test_what_was_read_over_ssh_is_known_afterwards_under_each_name(
    openssh: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "state"))
    inventory = tmp_path / "hosts.ini"
    way = f"ansible_host=127.0.0.1 ansible_port={openssh.port} ansible_user={openssh.user}"
    inventory.write_text("".join(f"{name} {way}\n" for name in ("web", "db")), encoding="utf-8")
    known = [word for path in openssh.options.known_hosts for word in ("--known-hosts", str(path))]
    reach = ["-i", str(inventory), "--identity", str(openssh.folder / "id"), *known, "--sudo", "never"]
    done = here("diagnose", "--quick", "--host", "web,db", *reach)
    assert done.code != 4, done.err
    document = json.loads(here("history", "--host", "web,db", "memory.available_bytes", "--json").out)
    points = [[point["at"] for series in host["series"] for point in series["points"]] for host in document["hosts"]]
    assert len(points[0]) == 1
    assert points[0] == points[1]
