"""Whether a schedule can be used: one judge, whoever asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.app.firing import Surroundings, carry_out
from memrunbook.app.judging_schedules import ScheduleJudge, inspect_schedules
from memrunbook.app.scheduling import ScheduleArguments, list_schedules, preview_schedules
from memrunbook.app.validating import validate
from memrunbook.core.errors import UsageError
from memrunbook.core.schedule import Moment
from memrunbook.documents.library import Library, usual_library

GOOD = "{name: good, every: 1h, runbook: oom-event, hosts: local}"


def house(folder: Path, *entries: str) -> Library:
    (folder / "schedules.yaml").write_text("schedules:\n" + "".join(f"  - {one}\n" for one in entries), "utf-8")
    for pipe in ("pipe", "pipe.ics"):
        os.mkfifo(folder / pipe)
    (folder / "hosts.ini").write_text("[web]\nweb-01\n", "utf-8")
    return usual_library((), folder)


@pytest.mark.parametrize(
    ("words", "key", "message", "hint"),
    [
        ("runbook: oom-evnt, hosts: local", "runbook: ", "no runbook is called 'oom-evnt'", "'oom-event'"),
        ("runbook: ./own.yaml, hosts: local", "runbook: ", "own.yaml: the file cannot be read", "check the path"),
        ("runbook: memory-leak, hosts: local, parameters: {x: 1}", "parameters: ", "x: this runbook has no", "late"),
        ("runbook: memory-shortage, hosts: local, parameters: {available_low: soup}", "parameters: ",
         "available_low: 'soup' is no number", "low"),
        ("runbook: oom-event, hosts: local, not_during: year-end", "not_during: ", "no freeze year-end", ".ics"),
        ("runbook: oom-event, hosts: local, not_during: days.ics", "not_during: ", "days.ics: ", ""),
        ("runbook: oom-event, hosts: web, inventory: none.ini", "inventory: ", "there is no such file", "the path"),
        ("runbook: oom-event, hosts: wbe, inventory: hosts.ini", "hosts: ", "no host or group 'wbe'", "mean web?"),
        ("runbook: oom-event, hosts: 'wbe*', inventory: hosts.ini", "hosts: ", "matches 'wbe*'", "runbook hosts"),
        ("runbook: oom-event, hosts: '@none.txt'", "hosts: ", "none.txt: the file cannot be read", "check the path"),
        ("runbook: oom-event, hosts: local, not_during: pipe.ics", "not_during: ", "this is a pipe", "a file"),
        ("runbook: oom-event, hosts: web, inventory: pipe", "inventory: ", "this is a pipe", "a file"),
        ("runbook: oom-event, hosts: local, allow: ['set_sysctl:vm.swappiness']", "allow: ",
         "no step of oom-event does set_sysctl", "restart_unit"),
    ],
)  # fmt: skip
def test_everybody_says_the_same_of_what_is_not_there(
    tmp_path: Path, words: str, key: str, message: str, hint: str
) -> None:
    entry = f"{{name: x, every: 1h, {words}}}"
    library = house(tmp_path, entry, GOOD)
    where = f"{tmp_path / 'schedules.yaml'}:2:{5 + entry.index(key) + len(key)}"
    judged = ScheduleJudge(library).judged(library.schedules())
    assert [job.name for job in judged.jobs] == ["good"]
    (problem,) = judged.broken["x"]
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint
    asked = ScheduleArguments(library=library, state=tmp_path / "state")
    listed = {one.name: one for one in list_schedules(asked)}
    assert (listed["x"].state, listed["x"].why) == ("broken", f"{where}: {problem.message}")
    assert listed["good"].state == "active"
    assert [job.name for job, _ in preview_schedules(asked)] == ["good"]
    with pytest.raises(UsageError):
        preview_schedules(asked, "x")
    assert problem in validate(library).problems
    assert inspect_schedules(library).state == "missing"
    (job,) = [one for one in library.schedules().jobs if one.name == "x"]
    around = Surroundings(library=library, state=tmp_path / "state", reaches=lambda _: pytest.fail("it is not begun"))
    ended = carry_out(job, Moment("x", 1.8e9, 1.8e9), around)
    assert (ended.state, ended.why) == ("blocked", f"{where}: {problem.message}")
    (told,) = ended.tell
    assert told.key == "schedule:x::broken"


def test_it_goes_on_when_what_was_missing_is_there(tmp_path: Path) -> None:
    library = house(tmp_path, "{name: x, every: 1h, runbook: oom-event, hosts: db, inventory: later.ini}")
    schedules = library.schedules()
    assert list(ScheduleJudge(library).judged(schedules).broken) == ["x"]
    (tmp_path / "later.ini").write_text("[db]\ndb-01\n", "utf-8")
    assert ScheduleJudge(library).judged(schedules).broken == {}


def test_an_inventory_that_is_a_program_is_not_run_and_not_judged(tmp_path: Path) -> None:
    library = house(tmp_path, "{name: x, every: 1h, runbook: oom-event, hosts: db, inventory: dynamic.sh}")
    program = tmp_path / "dynamic.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'was-run'}\n", "utf-8")
    program.chmod(0o755)
    assert ScheduleJudge(library, entire=True).judged(library.schedules()).broken == {}
    assert not (tmp_path / "was-run").exists()


def test_without_an_inventory_only_who_knows_all_judges_what_needs_one(tmp_path: Path) -> None:
    library = house(
        tmp_path, *(f"{{name: {name}, every: 1h, runbook: oom-event, hosts: {host}}}"
                    for name, host in (("x", "all"), ("y", '"!web"'), ("z", "web-01")))
    )  # fmt: skip
    schedules = library.schedules()
    assert ScheduleJudge(library).judged(schedules).broken == {}
    assert list(ScheduleJudge(library, entire=True).judged(schedules).broken) == ["x", "y"]
    judge = ScheduleJudge(library, (str(tmp_path / "hosts.ini"),), entire=True)
    assert list(judge.judged(schedules).broken) == ["y"], "it takes all hosts away"
