"""What runs saw last, out of journals: the newest counts, and a damaged line says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from memrunbook.state.last_seen import SeenIncident, SeenKills, seen_incidents, seen_kills
from memrunbook.state.runs import Run


def run(folder: Path, name: str, *lines: Any) -> Run:
    path = folder / name
    path.mkdir()
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line, separators=(',', ':'))}\n" for line in lines)
    (path / "web1.jsonl").write_text(text)
    return Run(name, path, "ended", ("web1",))


def diagnosed(runbook: str, state: str, time: str) -> dict[str, Any]:
    verdict = {"runbook": runbook, "incident": {"state": state, "evidence": []}}
    return {"event": "recorded", "time": time, "record": {"type": "diagnosed", "diagnosis": verdict}}


def log(*units: str) -> dict[str, Any]:
    events = [{"unit": unit, "victim": "java"} for unit in units]
    readings = {"oom": {"type": "OomReading", "events": [*events, {"unit": "none.service", "victim": ""}]}}
    return {"event": "answered", "answer": {"type": "Snapshot", "readings": readings}}


def test_the_newest_run_says_what_was_seen_last(tmp_path: Path) -> None:
    newest = run(tmp_path, "B", diagnosed("leak", "fails", "1970-01-01T00:02:00.000Z"), "{broken")
    older = run(
        tmp_path,
        "A",
        diagnosed("leak", "holds", "1970-01-01T00:01:00.000Z"),
        diagnosed("oom", "holds", "1970-01-01T00:01:05.000Z"),
    )
    assert seen_incidents([newest, older]) == [
        SeenIncident("web1", "leak", "fails", 120.0),
        SeenIncident("web1", "oom", "holds", 65.0),
    ]
    assert seen_incidents([]) == []


def test_kills_are_counted_by_unit_in_the_newest_log(tmp_path: Path) -> None:
    without = run(tmp_path, "C", {"event": "answered", "answer": {"type": "Snapshot", "readings": {}}})
    newest = run(tmp_path, "B", log("a.service"), log("a.service", "a.service", ""))
    older = run(tmp_path, "A", log("old.service"))
    assert seen_kills([without, newest, older]) == [SeenKills("web1", {"a.service": 2, "": 1})]
