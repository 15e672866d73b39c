"""Inventories as people keep them: each habit is read, and where Ansible is installed it agrees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.documents.inventory.folder import inventory, write
from tests.unit.documents.inventory.habits import HABITS

from memrunbook.core.host import Host

ANSIBLE = shutil.which("ansible-inventory")


def reached(host: Host) -> str:
    if host.refused:
        return host.refused.partition(" (")[0]
    if host.transport == "local":
        return "local"
    address = host.address or host.name
    name = f"[{address}]" if ":" in address else address
    return f"{f'{host.user}@' if host.user else ''}{name}{f':{host.port}' if host.port else ''}"


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_is_read(tmp_path: Path, name: str) -> None:
    habit = HABITS[name]
    found = inventory(write(tmp_path, habit.files), habit.source)
    assert {group: found.members(group) for group in habit.members} == habit.members
    assert {host: reached(found.hosts[host]) for host in habit.reached} == habit.reached


@pytest.mark.slow
@pytest.mark.skipif(ANSIBLE is None, reason="ansible-inventory is not installed: what it says is not compared")
@pytest.mark.parametrize("name", HABITS)
def test_ansible_agrees(tmp_path: Path, name: str) -> None:
    habit = HABITS[name]
    source = write(tmp_path, habit.files) / habit.source
    words = [ANSIBLE or "", "-i", str(source), "--list"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    theirs = json.loads(done.stdout)
    found = inventory(tmp_path, habit.source)

    def members(group: str) -> set[str]:
        told = theirs.get(group, {})
        return {*told.get("hosts", []), *(name for child in told.get("children", []) for name in members(child))}

    assert {group: members(group) for group in found.groups} == {
        group: set(found.members(group)) for group in found.groups
    }
    for host in (found.hosts[one] for one in theirs["_meta"]["hostvars"]):
        if host.transport == "ssh" and not host.refused:
            variables = theirs["_meta"]["hostvars"][host.name]
            assert (host.user or None) == variables.get("ansible_ssh_user", variables.get("ansible_user"))
            assert (host.port or None) == variables.get("ansible_port")
