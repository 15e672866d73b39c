"""The freeze windows of config.yaml, and every way in which one can be wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.documents.config import load_config

ONCE = {"name": "year-end", "from": "2026-12-20 18:00", "until": "2027-01-03 06:00", "zone": "Europe/Berlin"}
WEEKLY = {"name": "trading", "days": "[mon, fri]", "from": '"08:55"', "until": '"17:35"', "zone": "America/New_York"}


def written(folder: Path, *entries: dict[str, str]) -> Path:
    path = folder / "config.yaml"
    lines = ["freeze:"]
    for entry in entries:
        lines += [f"{'  - ' if not n else '    '}{key}: {value}" for n, (key, value) in enumerate(entry.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def read(folder: Path, *entries: dict[str, str]) -> tuple[FreezeWindow, ...]:
    return load_config(written(folder, *entries)).freeze


def problems(folder: Path, *entries: dict[str, str]) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        read(folder, *entries)
    assert all(one.where.startswith(f"{folder}/config.yaml:") for one in caught.value.problems)
    return caught.value.problems


def test_once_is_two_moments_in_the_time_of_a_place(tmp_path: Path) -> None:
    (one,) = read(tmp_path, {**ONCE, "hosts": '"db*"', "why": "the annual accounts"})
    assert [dt.datetime.fromtimestamp(at, dt.UTC).isoformat()[:16] for at in (one.begin, one.end)] == [
        "2026-12-20T17:00",
        "2027-01-03T05:00",
    ]
    assert (one.name, one.hosts, one.why, one.days) == ("year-end", "db*", "the annual accounts", frozenset())
    assert one.where == "config.yaml:2"


def test_a_window_of_days_keeps_its_times(tmp_path: Path) -> None:
    _, one = read(tmp_path, ONCE, WEEKLY)
    assert (one.begin, one.end, one.days, one.zone) == (535.0, 1055.0, frozenset({0, 4}), "America/New_York")
    assert one.where == "config.yaml:6"


def test_a_time_that_comes_twice_makes_the_window_longer(tmp_path: Path) -> None:
    twice = "2026-10-25 02:30"
    (early,) = read(tmp_path, {**ONCE, "from": twice})
    (late,) = read(tmp_path, {**ONCE, "from": "2026-10-01 00:00", "until": twice})
    assert late.end - early.begin == 3600


@pytest.mark.parametrize(
    ("changed", "line", "message", "hint"),
    [
        ({"zone": "Europe/Berln"}, 5, 'there is no time zone "Europe/Berln"', 'did you mean "Europe/Berlin"?'),
        ({"zone": "europe/berlin"}, 5, "there is no time zone", 'did you mean "Europe/Berlin"?'),
        ({"zone": "Berlin"}, 5, "there is no time zone", 'did you mean "Europe/Berlin"?'),
        ({"zone": '"+02:00"'}, 5, "there is no time zone", "write an IANA name"),
        ({"zone": "../../etc/passwd"}, 5, "there is no time zone", "write an IANA name"),
        ({"zone": "Europe"}, 5, "there is no time zone", ""),
        ({"zone": "''"}, 5, "must have at least 1 characters", ""),
        ({"until": "2026-12-20 17:59"}, 4, "the window ends before it begins", "must be later"),
        ({"until": "2026-12-20 18:00"}, 4, "the window ends before it begins", "must be later"),
        ({"from": "2026-03-29 02:30"}, 3, "does not exist in Europe/Berlin", 'write "2026-03-29 03:00"'),
        ({"until": "2027-02-30 06:00"}, 4, '"2027-02-30 06:00" is no such time', "as in"),
        ({"from": '"18:00"'}, 3, '"18:00" is no such time', "a date and a time"),
        ({"from": "2026-12-20"}, 3, "is no such time", "a date and a time"),
        ({"from": "2026-12-20 25:00"}, 3, "is no such time", "a date and a time"),
        ({"from": "2026-12-20 18:00:00+01:00"}, 3, "is no such time", "a date and a time"),
        ({"from": "1830"}, 3, "must be text, is the number 1830", ""),
        ({"name": "Year End"}, 2, "is no name here: small letters", ""),
        ({"until": "null"}, 4, "must be text, is empty", ""),
        ({"unti": "x"}, 6, '"unti" is not known here', 'did you mean "until"?'),
    ],
)
def test_a_mistake_in_one_that_is_once(
    tmp_path: Path, changed: dict[str, str], line: int, message: str, hint: str
) -> None:
    found = problems(tmp_path, {**ONCE, **changed})[0]
    assert found.where.startswith(f"{tmp_path}/config.yaml:{line}:")
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("changed", "line", "message"),
    [
        ({"days": "[monday]"}, 3, 'is "monday"'),
        ({"days": "mon"}, 3, "must be a list"),
        ({"days": "[]"}, 3, "no day is named"),
        ({"until": '"08:55"'}, 5, "the window ends when it begins"),
        ({"from": '"24:00"'}, 5, "the window ends when it begins"),
        ({"from": '"8:55"'}, 4, '"8:55" is no such time'),
        ({"until": "2026-12-20 18:00"}, 5, "is no such time"),
    ],
)
def test_a_mistake_in_one_of_days(tmp_path: Path, changed: dict[str, str], line: int, message: str) -> None:
    found = problems(tmp_path, {**WEEKLY, **changed})[0]
    assert found.where.startswith(f"{tmp_path}/config.yaml:{line}:")
    assert message in found.message


def test_a_name_is_for_one_window_and_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, ONCE, {**ONCE, "zone": "Mars/Olympus", "from": "soon"})
    assert [one.where.rsplit(":", 2)[1] for one in found] == ["6", "7", "9"]
    assert found[0].message == "year-end names two windows"
    assert found[0].hint == f"the first: {tmp_path}/config.yaml:2:11"


def test_without_zone_data_that_is_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from memrunbook.documents import freezes

    monkeypatch.setattr(freezes, "available_timezones", set)
    assert problems(tmp_path, {**ONCE, "zone": "Mars/Olympus"})[0].hint.endswith("install tzdata")
