"""What an earlier version wrote can still be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.console import here

from memrunbook.core.instant import Instant
from memrunbook.state.run_directory import RunDirectory

[OLD] = Path(__file__).with_name("old-journal").glob("runs/*")


def _records(name: str) -> Iterator[dict[str, Any]]:
    for line in (OLD / name).read_text().splitlines():
        yield {key: value for key, value in json.loads(line).items() if key not in ("seq", "prev", "hash")}


def test_a_report_of_a_run_that_an_earlier_version_made(tmp_path: Path) -> None:
    """Sealed anew: names were changed in what is kept here."""
    state = tmp_path / "old"
    with RunDirectory.create(state, OLD.name, lambda: Instant(1795340467.0, 0.0)) as directory:
        for name, journal in (("run.jsonl", directory.run), ("db7.jsonl", directory.host("db7"))):
            for record in _records(name):
                journal.append(record)
        directory.end()
    told = here("report", "last", "--state-dir", str(state))
    assert told.code == 0, told.said
    assert told.out.startswith("RESOLVED")
    assert here("runs", "--state-dir", str(state)).code == 0
    assert "ada, on ops-1" in here("audit", "show", "last", "--state-dir", str(state)).out
