"""What sysstat prints of the days of a host, in the shapes of its versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.series import Observation, Series
from memrunbook.linux.sadf import RecordedDay, read_sadf, with_lives

AT = datetime(2026, 3, 1, 23, 55, 1, tzinfo=UTC).timestamp()


def line(time: str, memory: dict[str, Any], **stamp: Any) -> dict[str, Any]:
    return {"timestamp": {"date": "2026-03-01", "time": time, "utc": 1, "interval": 300, **stamp}, "memory": memory}


def printed(*lines: dict[str, Any], restarts: Any = ()) -> str:
    host = {"nodename": "web1", "statistics": list(lines), "restarts": list(restarts)}
    return json.dumps({"sysstat": {"hosts": [host]}})


def by_figure(text: str) -> dict[str, Series]:
    return {one.figure: one for one in read_sadf(text).series}


def test_version_12_with_all_of_the_memory() -> None:
    memory = {"memfree": 100, "avail": 300, "memused": 700, "anonpg": 50, "pgtbl": 2, "swpfree": 10, "swpused": 5}
    found = by_figure(printed(line("23:55:01", memory)))
    assert {figure: one.points[0].value / 1024 for figure, one in found.items()} == {
        "memory.available_bytes": 300,
        "memory.free_bytes": 100,
        "memory.anonymous_bytes": 50,
        "memory.page_tables_bytes": 2,
        "swap.free_bytes": 10,
        "swap.used_bytes": 5,
    }
    assert found["memory.page_tables_bytes"].kind == "kernel"
    assert found["memory.available_bytes"].points[0].at == AT


def test_version_11_knows_no_available_memory() -> None:
    found = by_figure(printed(line("23:55:01", {"memfree": 100, "memused": 700, "memused-percent": 87.5}, utc=True)))
    assert set(found) == {"memory.free_bytes"}


@pytest.mark.parametrize("shape", [{"boot": {"date": "2026-03-01", "time": "12:00:00", "utc": 1}}, None])
def test_a_restart_begins_a_life(shape: dict[str, Any] | None) -> None:
    restart = shape or {"date": "2026-03-01", "time": "12:00:00", "utc": 1}
    lines = [line("23:55:01", {"memfree": 2}), line("11:55:01", {"memfree": 1})]
    day = read_sadf(printed(*lines, restarts=[restart]))
    (series,) = day.series
    assert [point.value for point in series.points] == [1024, 2048]
    began = f"since {datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp():.0f}"
    assert [point.life for point in with_lives(series.points, day.restarts)] == ["since 0", began]


def test_a_life_goes_on_over_the_days_until_the_next_restart() -> None:
    points = [Observation(at, 1.0) for at in (5.0, 1.0, 3.0, 2.0, 4.0)]
    lives = [point.life for point in with_lives(points, [4.0, 2.0])]
    assert lives == ["since 0", "since 2", "since 2", "since 4", "since 4"]


def test_what_says_nothing_is_left_out() -> None:
    odd = [line("23:55:01", {"memfree": value}) for value in (-1, None, "x", 1 << 60)]
    odd += [line("25:00:00", {"memfree": 1}), line("23:55:01", {"memfree": 1}, utc=0), {"memory": {"memfree": 1}}]
    odd += [line("23:55:01", {"memfree": 1}, tz="CET")]
    assert read_sadf(printed(*odd)).series == ()


@pytest.mark.parametrize("text", ["", "{}", "[]", "Invalid system activity file", '{"sysstat": 1}'])
def test_what_is_no_output_of_sadf_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="sadf"):
        read_sadf(text)


ANY = st.recursive(
    st.none() | st.integers() | st.text(), lambda some: st.lists(some) | st.dictionaries(st.text(), some)
)


@given(ANY)
def test_whatever_stands_there_is_read_or_left_out(what: Any) -> None:
    assert isinstance(
        read_sadf(json.dumps({"sysstat": {"hosts": [{"statistics": what, "restarts": what}]}})), RecordedDay
    )
