"""Three logins on one host: root, a user with sudo, and one without, who must be told what was not seen or done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Ended, Operator
from tests.kernel.lab.guest import Guest

pytestmark = pytest.mark.kernel
Enter = Callable[[str], Guest]
ROOT_ALONE = {("oom-event", "happened"), ("oom-event", "victim-down"), ("memory-fragmentation", "alloc-failed")}
"""Checks that need the kernel's log, which Debian shows to root alone."""


def unknown(diagnosed: Ended) -> set[tuple[str, str]]:
    findings = diagnosed.document["hosts"][0]["findings"]
    assert findings, "something was judged"
    unjudged = [finding for finding in findings if finding["state"] == "unknown"]
    assert all(finding["why"] for finding in unjudged), "each says why"
    return {(finding["runbook"], finding["check"]) for finding in unjudged}


def test_what_a_login_cannot_read_is_unknown_and_never_healthy(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("idle_healthy")
    root, ops, plain = (Operator(guest, tmp_path / user, user) for user in ("root", "ops", "plain"))
    seen = {one.user: one("diagnose", "--json") for one in (root, ops, plain)}
    assert {user: ended.status for user, ended in seen.items()} == {"root": 0, "ops": 0, "plain": 0}
    assert unknown(seen["ops"]) == unknown(seen["root"])
    assert unknown(seen["plain"]) - unknown(seen["root"]) >= ROOT_ALONE
    told = plain("diagnose").out
    assert not told.startswith("OK"), told.splitlines()[0]
    assert "Unknown" in told
    assert "Operation not permitted" in told
    assert "hint: allow reads as root for this host (sudo)" in told
    run = plain("run", "oom-event", "--yes", "--json")
    assert (run.host["outcome"], run.status) == ("unknown", 5), run.host
    assert set(run.executed()) <= {"capture_evidence"}, "which reads only"


def test_without_root_a_change_is_blocked_and_says_why(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("fragmentation")
    plain = Operator(guest, tmp_path / "plain", "plain")
    assert plain("diagnose", "--json").document["hosts"][0]["incidents"][0]["runbook"] == "memory-fragmentation"
    run = plain("run", "memory-fragmentation", "--yes", "--json")
    assert (run.host["outcome"], run.status) == ("unresolved", 3)
    compact = next(step for step in run.host["steps"] if step["id"] == "compact")
    assert compact["state"] == "blocked"
    assert compact["why"] == "changing this host needs root, and the shell is not root"
    assert run.executed() == ["capture_evidence"], "which reads only"
    refused = plain("run", "memory-fragmentation", "--yes", "--json", "--sudo", "always")
    assert (refused.host["outcome"], refused.status) == ("unreachable", 4)
    assert "sudo refused for plain" in refused.host["why"]
    plan = Operator(guest, tmp_path / "ops", "ops")("plan", "memory-fragmentation", "--json")
    decisions = {step["id"]: step["decision"] for step in plan.document["hosts"][0]["steps"]}
    assert decisions["compact"] == "change", "with sudo it would be carried out"
