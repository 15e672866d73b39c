"""services.yaml: every entry means something, and what does not is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.action.policy import Care
from memrunbook.core.errors import DocumentError
from memrunbook.documents.services import load_policy

WHOLE = """\
services:
  - unit: search-api.service
    restart: yes
    health: [curl, -fsS, "http://localhost:8080/healthz"]
    health_within: 3m
    drain: [lb, out]
    drain_within: 90s
    undrain: [lb, in]
    max_parallel: 2
    peers: ["search-*", db-1]
  - unit: "report-*.service"
    kind: batch
"""


def told(folder: Path, text: str) -> list[tuple[str, str, str]]:
    """Place, message and hint of each problem."""
    path = folder / "services.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError) as raised:
        load_policy(path)
    return [(one.where.removeprefix(f"{path}:"), one.message, one.hint) for one in raised.value.problems]


def test_an_entry_says_what_is_done_around_a_change(tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(WHOLE)
    policy = load_policy(path)
    assert policy.unit("search-api.service", 0.0).care == Care(
        health=("curl", "-fsS", "http://localhost:8080/healthz"),
        health_within=180.0,
        drain=("lb", "out"),
        drain_within=90.0,
        undrain=("lb", "in"),
        max_parallel=2,
        peers=("search-*", "db-1"),
    )
    assert policy.unit("report-1.service", 0.0).care is None
    assert load_policy(tmp_path / "none.yaml").services == ()


@pytest.mark.parametrize(
    ("entry", "at", "message", "hint"),
    [
        ("unit: a.service, health: curl -f x", "curl", "must be a list", "in brackets: [curl, -f, x]"),
        ("unit: a.service, health: []", "[]", "at least 1 item", ""),
        (
            "unit: a.service, restart: yes, window: {from: '02:00', until: '04:00', zone: Europe/Berln}",
            "Europe/Berln",
            'there is no time zone "Europe/Berln"',
            'did you mean "Europe/Berlin"?',
        ),
        (
            "unit: a.service, restart: yes, window: {from: '02:00', until: '02:00'}",
            "'02:00'}",
            "the window ends when it begins",
            'for a whole day write from: "00:00", until: "24:00"',
        ),
        (
            "unit: a.service, window: {from: '02:00', until: '04:00'}",
            "window",
            "window without restart: yes means nothing",
            "add restart: yes, or leave window out",
        ),
        ("unit: a.service, max_parallel: 0", "0", "must be at least 1, is 0", ""),
        ("unit: a.service, health_within: 5", "5", "a duration without a unit", '"5m"'),
        ("unit: a.service, health: [x], health_within: 0s", "0s", "shorter than a second", '"2m"'),
        ("unit: a.service, health_within: 5s", "health", "health_within without health means nothing", "leave"),
        ("unit: a.service, drain_within: 5s", "drain", "drain_within without drain means nothing", "leave"),
        ("unit: a.service, undrain: [lb, in]", "undrain", "undrain without drain means nothing", "add drain"),
        ("unit: a.service, helth: [x]", "helth", '"helth" is not known here', 'did you mean "health"?'),
        ("unit: a.service, kind: db", "db", "must be one of", ""),
        ("unit: api", "api", "no unit is called 'api'", "as in api.service"),
        ("unit: d.service, kind: database, restart: yes", "restart", "never chosen by a rule", "leave restart: yes"),
        ("unit: h.service, kind: cluster, freeze: yes", "freeze", "never touched by us", "leave freeze: yes out"),
        ('unit: a.service, drain: ["a\\0b"]', '["a', "a NUL byte", ""),
        ("unit: b.service}, {unit: b.service", "b.service", "b.service stands here twice", "make one of both"),
    ],
)
def test_what_is_wrong_has_its_place_and_a_way_out(
    tmp_path: Path, entry: str, at: str, message: str, hint: str
) -> None:
    text = f"services: [{{{entry}}}]"
    ((where, said, help_),) = told(tmp_path, text)
    assert (where, message in said, hint in help_) == (f"1:{text.rindex(at) + 1}", True, True), (where, said, help_)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").mkdir()
    with pytest.raises(DocumentError) as raised:
        load_policy(tmp_path / "services.yaml")
    assert "the file cannot be read" in raised.value.problems[0].message
