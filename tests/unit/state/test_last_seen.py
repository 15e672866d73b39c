"""What runs saw last, out of journals: the newest counts, and a damaged line says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from memrunbook.state.last_seen import MOST_OF_HOST, SeenHost, SeenIncident, SeenLeak, seen_hosts, seen_incidents
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


def read(time: str = "1970-01-01T00:00:10.000Z", **readings: Any) -> dict[str, Any]:
    return {"event": "answered", "time": time, "answer": {"type": "Snapshot", "readings": readings}}


def log(*units: str) -> dict[str, Any]:
    events = [{"unit": unit, "victim": "java"} for unit in units]
    return read(oom={"type": "OomReading", "events": [*events, {"unit": "none.service", "victim": ""}]})


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
    without = run(tmp_path, "C", read(), read(oom={"reason": "denied", "why": "no log may be read"}))
    newest = run(tmp_path, "B", log("a.service"), log("a.service", "a.service", ""))
    older = run(tmp_path, "A", log("old.service"))
    assert seen_hosts([without, newest, older]) == [SeenHost("web1", {"a.service": 2, "": 1})]


def test_leaks_and_the_own_switch_are_those_of_the_newest_reading_that_knows_them(tmp_path: Path) -> None:
    leak = {"kind": "unit", "name": "api.service", "seconds_left": 3600.0, "own_bytes": 5}
    newest = run(tmp_path, "B", read(host={"switched_off": "/run/memrunbook/off says: ada"}, units={"leaking": None}))
    older = run(
        tmp_path,
        "A",
        read("1970-01-01T00:00:20.000Z", host={"switched_off": ""}, units={"leaking": [leak]}, slab={"leaking": []}),
    )
    assert seen_hosts([newest, older]) == [
        SeenHost("web1", None, (SeenLeak("unit", "api.service", 3600.0),), 20.0, switched_off=True)
    ]
    assert seen_hosts([older])[0].switched_off is False


def test_a_host_that_never_tells_all_costs_no_more_than_its_newest_journals(tmp_path: Path) -> None:
    several = [run(tmp_path, f"R{number:03}", read()) for number in range(MOST_OF_HOST)]
    assert seen_hosts([*several, run(tmp_path, "old", log("a.service"))]) == [SeenHost("web1")]
