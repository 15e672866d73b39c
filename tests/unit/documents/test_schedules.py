from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError
from memrunbook.documents.library import usual_library
from memrunbook.documents.schedules import Schedules, load_schedules

GOOD = "{name: good, every: 1h, runbook: oom-event, hosts: web}"


def read(folder: Path, *entries: str) -> Schedules:
    path = folder / "schedules.yaml"
    path.write_text("schedules:\n" + "".join(f"  - {entry}\n" for entry in entries), "utf-8")
    return load_schedules(path)


def test_what_is_left_out_is_the_careful_choice(tmp_path: Path) -> None:
    (job,) = read(tmp_path, GOOD).jobs
    assert not job.acts
    assert job.max_risk is Risk.LOW
    assert job.schedule.jitter == 300.0
    assert job.schedule.catch_up == "none"
    assert job.where == "schedules.yaml:2"


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    entry = (
        "{name: all, cron: '30 3 * * 1-5', timezone: Europe/Berlin, jitter: 10m, runbook: ./own.yaml, "
        "hosts: [web, db, '@more.txt'], "
        "inventory: hosts.ini, parameters: {order: 9, quick: true}, mode: run, max_risk: medium, "
        "allow: ['restart_unit:api.service'], misfire_grace: 20m, catch_up: last, not_during: [year-end, days.ics], "
        "valid_from: 2026-12-01 06:00, valid_until: '2027-12-01', pause_on_failure: 3, serial: [1, 10%], "
        "max_failures: 2, patience: 60s, timeout: 1h, unless_alerting: {url: 'http://p:9090', alerts: 'a=\"b\"'}}"
    )
    found = read(tmp_path, entry)
    assert found.broken == {}
    (job,) = found.jobs
    assert job.runbook == str(tmp_path / "own.yaml")
    assert job.inventory == (str(tmp_path / "hosts.ini"),)
    assert job.parameters == {"order": "9", "quick": "true"}
    assert job.hosts == ("web", "db", f"@{tmp_path / 'more.txt'}"), "beside schedules.yaml, wherever it is run"
    assert job.windows == ("year-end",)
    assert job.calendars == (tmp_path / "days.ics",)
    assert job.rollout.serial == ("1", "10%")
    assert job.schedule.begins == 1796101200.0
    assert (job.pause_after, job.patience, job.timeout, job.alerts) == (3, 60.0, 3600.0, 'a="b"')


@pytest.mark.parametrize(
    ("entry", "column", "message", "hint"),
    [
        ("{name: x, cron: '61 * * * *', runbook: r, hosts: h}", 21, "no cron line", "five fields"),
        ("{name: x, every: 1h, cron: '1 * * * *', runbook: r, hosts: h}", 5, "both cron and every", "one of them"),
        ("{name: x, runbook: r, hosts: h}", 5, "neither cron nor every", "every"),
        ("{name: x, every: 1s, runbook: r, hosts: h}", 22, "no interval", "5 s to 366 d"),
        ("{name: x, every: 1h, jitter: 1h, runbook: r, hosts: h}", 34, "as long as the interval", "shorter"),
        ("{name: x, every: 1h, timezone: Europe/Berln, runbook: r, hosts: h}", 36, "no time zone", "Europe/Berlin"),
        ("{name: x, every: 1h, valid_from: soon, runbook: r, hosts: h}", 38, "no such time", "2026"),
        ("{name: x, every: 1h, valid_from: '2027-01-01', valid_until: '2026-01-01', runbook: r, hosts: h}", 65,
         "ends before it begins", "later"),
        ("{name: x, every: 1h, allow: [restart_unti:a], runbook: r, hosts: h}", 33, "no action", "restart_unit"),
        ("{name: x, every: 1h, allow: [restart_unit], runbook: r, hosts: h}", 33, "without its target", ":search"),
        ("{name: x, every: 1h, max_risk: high, runbook: r, hosts: h}", 36, "high", ""),
        ("{name: x, every: 1h, timeout: 0s, runbook: r, hosts: h}", 35, "within 0.0 s nothing", "1s or more"),
        ("{name: x, every: 1h, patience: 0s, runbook: r, hosts: h}", 36, "within 0.0 s nothing", "1s or more"),
        ("{name: x, every: 1h, misfire_grace: 0s, runbook: r, hosts: h}", 41, "all would be missed", "catch_up: last"),
        ("{name: x, cron: '0 0 30 2 *', runbook: r, hosts: h}", 21, "no cron line", "five fields"),
        ("{name: x, cron: '0 0 31 4,6 *', runbook: r, hosts: h}", 21, "no cron line", "five fields"),
        ("{name: x, cron: '0 0 1 1 *', valid_from: 2027-02-01, valid_until: 2027-03-01, runbook: r, hosts: h}", 71,
         "it never fires between", "longer"),
        ("{name: x, cron: '0 0 1 1 *', valid_from: 9999-12-31, valid_until: 9999-12-31 12:00, runbook: r, hosts: h}",
         71, "it never fires between", "longer"),
        ("{name: x, every: 1h, runbook: r, hosts: []}", 45, "no host is named", "all"),
        ("{name: x, every: 1h, runbook: r, hosts: ''}", 45, "'' leaves out which hosts", "all"),
        ("{name: x, every: 1h, runbook: r, hosts: [web, ' ']}", 45, "' ' leaves out which hosts", "all"),
        ("{name: x, every: 1h, runbook: r, hosts: 'web:!'}", 45, "'web:!' leaves out which hosts", "all"),
        ("{name: x, every: 1h, inventory: '', runbook: r, hosts: h}", 37, "an empty word", "leave the key out"),
        ("{name: x, every: 1h, not_during: '', runbook: r, hosts: h}", 38, "an empty word", "leave the key out"),
        ("{name: x, every: 1h, runbok: r, hosts: h}", 26, "runbok", "runbook"),
    ],
)  # fmt: skip
def test_a_broken_schedule_stops_only_itself(tmp_path: Path, entry: str, column: int, message: str, hint: str) -> None:
    found = read(tmp_path, entry, GOOD)
    assert [job.name for job in found.jobs] == ["good"]
    problem = next(one for one in found.broken["x"] if message in one.message)
    assert problem.where == f"{tmp_path / 'schedules.yaml'}:2:{column}"
    assert hint in problem.hint


def test_what_is_late_may_be_done_at_once_or_not_at_all(tmp_path: Path) -> None:
    found = read(tmp_path, "{name: x, every: 1h, misfire_grace: 0s, catch_up: last, runbook: r, hosts: h}")
    assert found.broken == {}


def test_a_name_stands_for_one(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD, GOOD)
    assert [job.name for job in found.jobs] == ["good"]
    (problem,) = found.problems
    assert "two schedules" in problem.message
    assert "schedules.yaml:2" in problem.hint


@pytest.mark.parametrize("text", ["", "schedules: []\n", "schedules: 5\n", "schedule: [{}]\n", "a: [\n"])
def test_a_file_that_is_none_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "schedules.yaml").write_text(text, "utf-8")
    with pytest.raises(DocumentError):
        load_schedules(tmp_path / "schedules.yaml")


def test_it_is_found_where_config_yaml_is(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    assert [job.name for job in usual_library((), tmp_path).schedules().jobs] == ["good"]


def test_what_the_docs_show_can_be_used(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "schedule.md").read_text("utf-8")
    found = []
    for block in page.split("```"):
        kind, _, text = block.partition("\n")
        if kind == "yaml" and text.startswith("schedules:"):
            (tmp_path / "schedules.yaml").write_text(text, "utf-8")
            schedules = load_schedules(tmp_path / "schedules.yaml")
            assert schedules.broken == {}
            found += [(job.name, job.acts) for job in schedules.jobs]
    assert found == [("care", True), ("nightly-leaks", True), ("hourly-look", False)]
