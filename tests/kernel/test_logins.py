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
    assert {user: ended.status for user, ended in seen.items()} == {"root": 0, "ops": 0, "plain": 9}
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
