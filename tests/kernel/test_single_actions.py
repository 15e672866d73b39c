"""Actions one by one on a real kernel: done, proven by the guest's own figures, and taken back by their undo."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest

pytestmark = pytest.mark.kernel
HEAD = """
apiVersion: memrunbook/v1
name: single
title: One action
sample: {count: 2, every: 1s}
checks:
  - {id: always, name: It always applies, when: memory.total_bytes > 0, severity: warning}
incident: checks.always
resolved: {that: memory.total_bytes == 0}
steps:
  - id: single
    name: The one step
"""
DROPIN = "/etc/sysctl.d/60-runbook-memory.conf"


@dataclass(frozen=True)
class Desk:
    """An operator who runs one step after the other, and takes a step back."""

    guest: Guest
    folder: Path

    def run(self, *lines: str, allow: str = "") -> dict[str, Any]:
        """Runs one step; the change that was carried out."""
        path = self.folder / "single.yaml"
        path.write_text(HEAD + "".join(f"    {line}\n" for line in lines))
        allowed = ("--allow", allow) if allow else ()
        run = Operator(self.guest, self.folder)("run", str(path), "--yes", *allowed, "--json")
        assert run.states() == {"single": "done"}, run.host
        asked = [line["request"] for line in run.lines if line.get("event") == "asked"]
        return next(request["change"] for request in asked if request["type"] == "Execute")

    def undo(self, change: dict[str, Any]) -> None:
        """Takes a change back as a timer of the host would."""
        undo = change["undo"]
        self.guest.check(shlex.join(["sh", "-c", undo["script"], "runbook", *undo["args"]]))

    def number(self, name: str) -> int:
        """A kernel parameter."""
        return int(self.guest.check(f"cat /proc/sys/vm/{name}"))


@pytest.fixture
def desk(guest_in: Callable[[str], Guest], tmp_path: Path) -> Desk:
    """A desk in front of an idle guest."""
    return Desk(guest_in("idle_healthy"), tmp_path)


def test_settings_are_kept_and_taken_back(desk: Desk) -> None:
    before = desk.number("swappiness")
    change = desk.run("action: set_sysctl", "with: {key: vm.swappiness, value: 7, persist: true}")
    assert desk.number("swappiness") == 7
    assert desk.guest.check(f"stat -c '%a %U' {DROPIN}").split() == ["644", "root"]
    desk.guest.check("echo 55 >/proc/sys/vm/swappiness; /usr/lib/systemd/systemd-sysctl")
    assert desk.number("swappiness") == 7, "a boot sets it again"
    desk.undo(change)
    assert desk.number("swappiness") == before
    assert desk.guest.run(f"ls {DROPIN}*").status != 0


def test_dirty_limits_are_set_and_taken_back(desk: Desk) -> None:
    desk.guest.check("echo 0 >/proc/sys/vm/dirty_background_ratio")
    before = [desk.number(f"dirty{name}_ratio") for name in ("", "_background")]
    change = desk.run("action: set_dirty_limits", "with: {limit: 16 MiB, background: 4 MiB}")
    assert (desk.number("dirty_bytes"), desk.number("dirty_background_bytes")) == (16 << 20, 4 << 20)
    assert desk.number("dirty_ratio") == 0, "the kernel lets the two exclude each other"
    desk.undo(change)
    assert [desk.number(f"dirty{name}_ratio") for name in ("", "_background")] == before
    assert desk.number("dirty_background_bytes") == 0, "the old ratio of 0 counts again, not our size"


def test_settings_of_sys_are_set_and_taken_back(desk: Desk) -> None:
    files = [f"/sys/kernel/mm/{name}" for name in ("transparent_hugepage/enabled", "transparent_hugepage/defrag")]
    lru, ttl = (f"/sys/kernel/mm/lru_gen/{name}" for name in ("enabled", "min_ttl_ms"))
    before = [desk.guest.check(f"cat {file}") for file in files]
    change = desk.run("action: set_thp", "with: {enabled: never, defrag: defer+madvise}")
    assert "[never]" in desk.guest.check(f"cat {files[0]}")
    assert "[defer+madvise]" in desk.guest.check(f"cat {files[1]}")
    desk.undo(change)
    assert [desk.guest.check(f"cat {file}") for file in files] == before
    desk.guest.check(f"echo y >{lru}")
    allow = "set_lru_gen_min_ttl:lru_gen"
    change = desk.run("action: set_lru_gen_min_ttl", "with: {milliseconds: 1000}", allow=allow)
    assert desk.guest.check(f"cat {ttl}").strip() == "1000"
    desk.undo(change)
    assert desk.guest.check(f"cat {ttl}").strip() == "0"


def test_idle_huge_pages_are_released_and_taken_back(desk: Desk) -> None:
    desk.guest.check("echo 40 >/proc/sys/vm/nr_hugepages")
    assert desk.number("nr_hugepages") == 40
    change = desk.run("action: release_hugepages", "with: {keep: 10}", allow="release_hugepages:2 MiB")
    assert desk.number("nr_hugepages") == 10
    desk.undo(change)
    assert desk.number("nr_hugepages") == 40


def test_a_stray_process_is_killed_where_it_does_not_end(desk: Desk) -> None:
    desk.guest.install("leak")
    start = "setsid sh -c 'trap \"\" TERM; echo $$ >/run/stray; exec leak -f 100' </dev/null >/dev/null 2>&1 &"
    desk.guest.check(f"systemd-run --quiet --scope --slice=user.slice sh -c {shlex.quote(start)}; sleep 2")
    pid = desk.guest.check("cat /run/stray").strip()
    desk.run("action: stop_process", f"with: {{pid: {pid}}}", allow=f"stop_process:pid {pid}")
    assert desk.guest.run(f"test -e /proc/{pid}").status != 0
