"""Which runs have dealt with what, read back from their journals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs
from tests.unit.state.conftest import INVOKED

from memrunbook.core.instant import Instant
from memrunbook.core.run.record import plain
from memrunbook.state.handled import handled
from memrunbook.state.run_directory import RunDirectory

NOW = Instant(1_800_000_000.0, 1.0)


def run(state: Path, letters: str, runbook: str, ended: dict[str, Any] | None) -> None:
    with RunDirectory.create(state, f"20261122T094107Z-{letters}", lambda: NOW) as directory:
        directory.run.append(plain(structs.replace(INVOKED, runbook=runbook)))
        if ended is not None:
            directory.run.append({"event": "ended", **ended})
        directory.end()


def test_only_resolved_runs_of_the_runbook_count(tmp_path: Path) -> None:
    resolved = [{"host": "a", "outcome": "resolved", "machine_id": "m1"}]
    run(tmp_path, "aaaa", "oom-event", {"time": "2026-11-22T09:45:00.000Z", "hosts": resolved})
    run(tmp_path, "bbbb", "oom-event", {"time": "2026-11-22T09:40:00.000Z", "hosts": resolved})
    run(tmp_path, "cccc", "memory-shortage", {"time": "2026-11-22T10:00:00.000Z", "hosts": resolved})
    failed = [{"host": "a", "outcome": "failed", "machine_id": "m2"}, {"host": "b", "outcome": "resolved"}]
    run(tmp_path, "dddd", "oom-event", {"time": "2026-11-22T09:45:00.000Z", "hosts": failed})
    run(tmp_path, "eeee", "oom-event", None)
    run(tmp_path, "ffff", "oom-event", {"time": "no time", "hosts": resolved})
    run(tmp_path, "gggg", "oom-event", {"hosts": "no list"})
    assert handled(tmp_path)["oom-event"] == {("a", "m1"): 1795340700.0}
