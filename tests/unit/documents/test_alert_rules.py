"""Which entry is about an alert, and entries that could never be about one."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import DocumentError
from memrunbook.documents.alert_rules import AlertRule, AlertSpec
from memrunbook.documents.config import Config, load_config


def read(folder: Path, *entries: str) -> Config:
    path = folder / "config.yaml"
    path.write_text("alerts:\n" + "".join(f"  - {one}\n" for one in entries))
    return load_config(path)


@pytest.mark.parametrize(
    ("labels", "about"),
    [
        ({"alertname": "OomKill", "team": "web-eu"}, True),
        ({"alertname": "OomKill", "team": "db"}, False),
        ({"alertname": "OomKill"}, False),
        ({"alertname": "oomkill", "team": "web"}, False),
        ({"team": "web"}, False),
        ({"alertname": "OomKill", "team": "web", "more": "x"}, True),
    ],
)
def test_all_that_an_entry_names_must_be_there(labels: dict[str, str], about: bool) -> None:  # noqa: FBT001
    rule = AlertRule(AlertSpec(alertname="Oom*", labels={"team": "web*"}, runbook="oom-event"), "config.yaml:1")
    assert rule.matches(labels) is about


def test_an_entry_is_ready_with_its_line_its_inventories_and_its_risk(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    found = read(
        tmp_path, "{alertname: A, runbook: r}", "{alertname: B, runbook: r, inventory: [a, b], max_risk: high}"
    )
    assert [one.where for one in found.alerts] == ["config.yaml:2", "config.yaml:3"]
    assert found.alerts[1].inventory == (str(tmp_path / "a"), str(tmp_path / "b"))
    assert [one.risk for one in found.alerts] == [Risk.LOW, Risk.HIGH]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["{alertname: 'Oom.*', runbook: r}"], "looks like a regular expression"),
        (["{alertname: 'Oom[', runbook: r}"], "its bracket does not end"),
        (["{alertname: A, labels: {x: '[ab'}, runbook: r}"], "its bracket does not end"),
        (["{alertname: A, runbook: r, window: 1s}"], "must be from 60 s to 24 h"),
        (["{alertname: A, runbook: r, allow: ['again:restart_unit:x']}"], "nobody is there who could judge that"),
        (["{alertname: '*', runbook: r}", "{alertname: A, runbook: s}"], "this is never reached: the entry in"),
        (
            ["{alertname: A, labels: {x: '*'}, runbook: r}", "{alertname: A, labels: {x: b, y: c}, runbook: s}"],
            "this is never reached",
        ),
    ],
)
def test_an_entry_that_means_nothing_is_refused(tmp_path: Path, entries: list[str], said: str) -> None:
    with pytest.raises(DocumentError) as error:
        read(tmp_path, *entries)
    (problem,) = error.value.problems
    assert said in problem.message


@pytest.mark.parametrize(
    "entries",
    [
        ["{alertname: A, labels: {x: b}, runbook: r}", "{alertname: A, runbook: s}"],
        ["{alertname: A, labels: {x: b}, runbook: r}", "{alertname: A, labels: {x: c}, runbook: s}"],
        ["{alertname: 'A[[]b]', runbook: r}"],
        ["{alertname: 'A[!]]', runbook: r}"],
    ],
)
def test_what_is_narrower_may_stand_first_and_brackets_may_be_meant(tmp_path: Path, entries: list[str]) -> None:
    assert len(read(tmp_path, *entries).alerts) == len(entries)
