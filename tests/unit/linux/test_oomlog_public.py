"""Public logs that lie beside the project; where they are missing, the logs of test_oomlog.py must do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memrunbook.linux.oomlog.event import LogEvent
from memrunbook.linux.oomlog.reader import read_log

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "oom-logs"
LOGS = sorted(path.name for path in FOLDER.glob("*.log"))
EXPECTED: dict[str, Any] = json.loads((FOLDER / "EXPECTED.json").read_text()) if LOGS else {}

pytestmark = pytest.mark.skipif(not LOGS, reason=f"{FOLDER} is not there")


def _kills(event: LogEvent) -> list[dict[str, Any]]:
    return [
        {
            "message": kill.message,
            "pid": kill.pid,
            "name": kill.name,
            "total_vm_kb": kill.total_vm_kib,
            "anon_rss_kb": kill.anonymous_kib,
            "file_rss_kb": kill.file_kib,
            "shmem_rss_kb": kill.shared_kib,
            "uid": kill.uid,
            "pgtables_kb": kill.page_tables_kib,
            "oom_score_adj": kill.oom_score_adj,
        }
        for kill in event.kills
    ]


def _once(kills: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({kill["pid"]: kill for kill in kills}.values())


def _plain(event: LogEvent, wanted: dict[str, Any]) -> dict[str, Any]:
    constraint = event.constraint and event.constraint + (" (inferred)" if event.inferred else "")
    chosen = event.chosen and {"task": event.chosen.name, "pid": event.chosen.pid, "uid": event.chosen_uid}
    found = {
        "trigger": event.trigger,
        "order": event.order,
        "gfp": event.gfp,
        "kernel": event.kernel,
        "constraint": constraint,
        "oom_memcg": event.oom_memcg,
        "task_memcg": event.task_memcg,
        "usage_kb": event.usage_kib,
        "limit_kb": event.limit_kib,
        "tasks": event.tasks,
        "kills": _kills(event),
        "free_swap_kb": event.free_swap_kib,
        "total_swap_kb": event.total_swap_kib,
        "ram_pages": event.ram_pages,
        "chosen": chosen,
        "nodemask": event.nodemask,
        "mems_allowed": event.mems_allowed,
        "selected": event.selected and {"pid": event.selected.pid, "name": event.selected.name, "score": event.score},
    }
    return {key: value for key, value in found.items() if key in wanted}


def _wanted(event: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in event.items() if key != "truncated"}
    wanted["kills"] = _once(event["kills"])
    if event["oom_memcg"]:
        wanted["oom_memcg"] = event["oom_memcg"].removesuffix(" (truncated in the source)")
    if event.get("selected"):
        wanted["selected"] = {key: event["selected"][key] for key in ("pid", "name", "score")}
    return wanted


@pytest.mark.parametrize("name", LOGS)
def test_a_public_log_is_read_as_people_read_it(name: str) -> None:
    wanted = EXPECTED[name]
    log = read_log((FOLDER / name).read_text(errors="surrogateescape").splitlines())
    events = [event for event in log.events if event.killer == "kernel"]

    assert [_plain(e, w) for e, w in zip(events, wanted["events"], strict=True)] == [
        _wanted(event) for event in wanted["events"]
    ]
    failures = [{"task": f.name, "order": f.order, "mode": f.mode, "flags": f.flags} for f in log.failures]
    assert failures == wanted["page_alloc_failures"]
    assert log.slub_failures == wanted["slub_failures"]
    assert log.overcommit_refusals == wanted["vm_enough_memory"]
    assert [list(process) for event in events for process in event.reaped] == wanted["reaped"]
