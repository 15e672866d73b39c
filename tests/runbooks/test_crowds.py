"""Hosts with few, many and very many processes: whole lists and cut ones, judged by shipped runbooks and by others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import CALM, book, snapshot, states
from tests.unit.actions.decisions import change
from tests.unit.facts.shell_walks import tree
from tests.unit.facts.test_processes import meminfo, process_files, walk_tree

from memrunbook import catalog
from memrunbook.actions.set_oom_score_adj import SetOomScoreAdj
from memrunbook.actions.stop_process import StopProcess
from memrunbook.cli.commands.diagnose import _code_of
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import Diagnosis, diagnose
from memrunbook.core.plan.judged import Judged
from memrunbook.core.plan.standing import standing
from memrunbook.core.reading.fact import Cut
from memrunbook.core.reading.reached import Reached
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Condition, Scope, Verdict
from memrunbook.core.runbook.world import World
from memrunbook.documents.library import entries
from memrunbook.facts.processes import Processes

METRICS = catalog.metrics()
SCOPE = Scope(METRICS, {}, (), step=True)
COUNTS = [50, 400, 5000]
LARGE = 100_000
"""The pid of a process that a runbook may stop."""


@pytest.fixture(scope="module", params=COUNTS)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Processes]:
    """So many processes of 200 KiB, nginx of 600 KiB the last of them, and one that holds 40 MiB."""
    root, count = tmp_path_factory.mktemp("proc"), request.param
    for pid in range(10_000, 10_000 + count - 2):
        whole = process_files(pid, rss=200)
        tree(root, whole if pid < 10_200 else {f"{pid}/statm": whole[f"{pid}/statm"]})
    tree(root, process_files(99_998, rss=600, name="nginx"))
    tree(root, {**meminfo(), **process_files(LARGE, rss=40 << 10)})
    return count, walk_tree(("dash",), root)


def seen(processes: Processes, *changes: dict[str, Any]) -> Snapshot:
    return snapshot({"processes": processes, "processes.all": processes.all}, *changes)


def unknown(judged: Diagnosis) -> list[str]:
    return [one.check for entry in judged.runbooks for one in entry.findings if one.state == "unknown"]


def verdict(source: str, now: Snapshot) -> Verdict:
    return Condition((SCOPE.compile(source, boolean=True),)).evaluate(World(now, METRICS, before=now))


def test_a_healthy_host_is_ok_however_many_run(crowd: tuple[int, Processes]) -> None:
    count, processes = crowd
    calm = seen(processes, {"cgroups.cut": {"all": Cut("9 smaller control groups are not in the list")}})
    books = [book(entry.name) for entry in entries([])]
    judged, whole = diagnose(books, calm), diagnose(books, snapshot())
    assert (processes.seen, standing(judged.runbooks).unjudged, standing(judged.runbooks).word) == (count, (), "OK")
    assert unknown(judged) == unknown(whole)
    assert _code_of(Judged(Reached(Host("web-1"), calm), judged), "warning") == 0


def test_a_small_process_is_seen_or_unknown(crowd: tuple[int, Processes]) -> None:
    count, processes = crowd
    said = verdict('processes.all.exists(p, p.name == "nginx" && p.rss_bytes < 5 * MiB)', seen(processes))
    if count == COUNTS[0]:
        assert said.state == "holds"
        return
    left = count - 200
    assert said.state == "unknown"
    assert said.why == (
        f"processes.all: {left} smaller processes are not in the list, each of less than 1.0 MiB ({count} in all)"
    )


@pytest.mark.parametrize(
    "source",
    [
        'processes.all.exists(p, p.name == "java" && p.rss_bytes > 100 * MiB)',
        "processes.all.exists(p, p.anonymous_bytes > 50 * MiB && p.unit == '')",
        "processes.all.exists(p, p.swap_bytes > 0 && p.name == 'java')",
        "size(processes.all.filter(p, p.shared_bytes > 2 * MiB)) > 0",
        "processes.by_name.exists(n, n.shared_bytes > 2 * MiB && n.name == 'postgres')",
        f"!processes.all.exists(p, p.pid == {LARGE})",
    ],
)
def test_what_is_certain_of_all_is_judged_on_every_host(crowd: tuple[int, Processes], source: str) -> None:
    assert verdict(source, seen(crowd[1])).state == "fails"


def test_what_one_name_holds_in_all_is_unknown_where_some_are_not_in_the_list(crowd: tuple[int, Processes]) -> None:
    said = verdict("processes.by_name.exists(n, n.own_bytes > 900 * MiB)", seen(crowd[1]))
    assert said.state == ("fails" if crowd[0] == COUNTS[0] else "unknown")


def test_a_process_that_was_stopped_is_known_to_be_gone(crowd: tuple[int, Processes]) -> None:
    _, processes = crowd
    target = next(one for one in processes.all if one.pid == LARGE)
    free = {"host.own_pids": [1], "memory.available_bytes": CALM.get("memory.available_bytes", 20 << 30)}
    stray = msgspec.structs.replace(target, cgroup="/user.slice/x", unit="", oom_score_adj=0)
    every = [stray, *(one for one in processes.all if one.pid != LARGE)]
    before = seen(processes, {**free, "processes.all": every})
    verify = change(StopProcess(pid=LARGE), before).verify
    assert verify is not None
    after = seen(processes, {**free, "processes.all": every[1:], "memory.available_bytes": 21 << 30})
    condition = Condition((SCOPE.compile(verify.that, boolean=True),))
    assert condition.evaluate(World(before, METRICS, before=before)).state == "fails"
    assert condition.evaluate(World(after, METRICS, before=before)).state == "holds"


def test_who_was_left_out_is_not_taken_for_gone(crowd: tuple[int, Processes]) -> None:
    said = verdict("!processes.all.exists(p, p.pid == 99998)", seen(crowd[1]))
    assert said.state == ("fails" if crowd[0] == COUNTS[0] else "unknown")


def test_a_score_that_was_set_is_proven(crowd: tuple[int, Processes]) -> None:
    _, processes = crowd
    free = {"processes.all": [msgspec.structs.replace(one, unit="", oom_score_adj=0) for one in processes.all]}
    verify = change(SetOomScoreAdj(pid=LARGE, value=500), seen(processes, free, {"host.own_pids": [1]})).verify
    assert verify is not None
    assert verdict(verify.that, seen(processes, free)).state == "fails"
    done = {"processes.all": [msgspec.structs.replace(one, oom_score_adj=500) for one in processes.all]}
    assert verdict(verify.that, seen(processes, done)).state == "holds"


def test_small_groups_that_were_left_out_make_no_check_unknown() -> None:
    cut = {"cgroups.cut": {"all": Cut("9 smaller control groups are not in the list")}}
    assert states(book("memory-fragmentation"), snapshot(cut))["enomem-elsewhere"] == "fails"


def test_kills_that_the_log_lost_long_ago_make_no_check_unknown() -> None:
    old = Cut("the kernel counted kills that its log no longer shows", least={"age_seconds": 7200.0})
    lost = {"oom.log_lost": True, "oom.lost_age_seconds": 7200.0}
    said = states(book("oom-event"), snapshot({"oom.cut": {"events": old}}, lost))
    assert (said["log-lost"], said["log-lost-earlier"]) == ("fails", "holds")
    assert {name for name, state in said.items() if state == "unknown"} == set()
    assert said["incident"] == "fails"
    lately = Cut(old.why, least={"age_seconds": 60.0})
    assert states(book("oom-event"), snapshot({"oom.cut": {"events": lately}}))["incident"] == "unknown"
