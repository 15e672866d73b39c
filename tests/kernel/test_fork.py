"""A host on which the login user can start no process: a diagnosis with what can still be read, not an exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Ended, Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until

pytestmark = pytest.mark.kernel
Enter = Callable[[str], Guest]
CROWD = 10
LOGIN = 2
"""Processes of a login by SSH that belong to the user: sshd's own and the shell, which then can fork no more."""


def fill_the_limit_of(guest: Guest, user: str) -> None:
    """Lets processes of the user run until only a bare login fits below the limit of processes."""
    guest.write("/etc/security/limits.d/lab.conf", f"{user} - nproc {CROWD + LOGIN}\n")
    sleepers = f"/bin/sh -c 'for n in $(seq 2 {CROWD}); do sleep infinity & done; wait'"
    guest.start_service("crowd", sleepers, f"User={user}")
    wait_until(lambda: processes_of(guest, user) == CROWD, seconds=180, what="the user's processes run")
    assert guest.run("true", user=user).status == 0, "a login fits"
    assert guest.run("true | true", user=user).status != 0, "and nothing more"


def processes_of(guest: Guest, user: str) -> int:
    return len(guest.run(f"pgrep -u {user}").stdout.split())


def judged(ended: Ended) -> set[str]:
    """The runbooks of which at least one check was judged."""
    findings = ended.document["hosts"][0]["findings"]
    return {finding["runbook"] for finding in findings if finding["state"] != "unknown"}


def test_a_login_that_cannot_fork_still_gets_a_diagnosis(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    fill_the_limit_of(guest, "plain")
    operator = Operator(guest, tmp_path, "plain")
    told = operator("diagnose")
    assert told.status == 9, told.err
    assert told.out.startswith("UNKNOWN"), told.out
    assert "the host can start no process for this login (fork fails)" in told.out
    ended = operator("diagnose", "--json")
    assert ended.status == 9, ended.err
    assert "memory-shortage" in judged(ended)
    facts = operator("facts", "--json", "memory.available_bytes", "swap.total_bytes", "buddy.unusable_9")
    values = {metric["name"]: metric["value"] for metric in facts.document["hosts"][0]["metrics"]}
    assert values["memory.available_bytes"] > 0
    assert values["swap.total_bytes"] == 0
    assert 0 <= values["buddy.unusable_9"] <= 1
