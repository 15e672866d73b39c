"""What is told of a host: its figures with their extremes, and what is used beside what is available."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memrunbook.app.looking_back import LookBackArguments, look_back, matches
from memrunbook.app.remembering import StoredRecall
from memrunbook.app.stored import Stored
from memrunbook.core.errors import UsageError
from memrunbook.core.reading.baseline import USED
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import DAY, GIB, HOUR, MIB
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock


def test_a_host_over_two_weeks(tmp_path: Path) -> None:
    now = SystemClock().now().utc
    hours = range(10 * 24, 0, -1)
    available = tuple(Observation(now - hour * HOUR, 30.0 + hour % 2, "b", 100.0) for hour in hours)
    unit = tuple(Observation(now - hour * HOUR, 5.0, "r1" if hour > 50 else "r2", 9.0) for hour in hours)
    past = Stored(tmp_path).past()
    past.keep(
        "web",
        "m",
        [
            Series("host", "", "memory.available_bytes", available),
            Series("unit", "api.service", "units.own_bytes", unit),
        ],
    )
    library = Library((), None, None, None)
    (found,) = look_back(LookBackArguments(hosts=("web",), state=tmp_path, library=library))
    assert found.left == 30.0
    assert found.used is not None
    assert (found.used.least, found.used.peak, found.used.limit) == (69.0, 70.0, 100.0)
    assert [len(one.begun) for one in found.baselines if one.kind == "unit"] == [1]
    (one,) = look_back(
        LookBackArguments(hosts=("web",), holder="api", since=now - DAY - 60, state=tmp_path, library=library)
    )
    assert [(series.name, len(series.points)) for series in one.series] == [("api.service", 24)]


def test_a_word_means_a_figure_a_pattern_or_a_fact() -> None:
    assert matches(USED, USED)
    assert matches(USED, "memory")
    assert matches(USED, "*.used_*")
    assert not matches(USED, "mem")


def test_a_leak_that_restarts_hide_is_told_however_little_is_shown(tmp_path: Path) -> None:
    now = SystemClock().now().utc
    times = [now - number * 900 for number in range(7 * 96, 0, -1)]
    unit = tuple(
        Observation(at, (500 + 60 * (at % (40 * HOUR)) / HOUR) * MIB, str(at // (40 * HOUR)), 4.0 * GIB) for at in times
    )
    available = tuple(Observation(at, 6.0 * GIB, "b", 16.0 * GIB) for at in times)
    series = [
        Series("unit", "api.service", "units.own_bytes", unit),
        Series("host", "", "memory.available_bytes", available),
    ]
    past = Stored(tmp_path).past()
    for host in ("web", "db"):
        past.keep(host, host, series)
    library = Library((), None, None, None)

    def leaks(*hosts: str, **more: Any) -> list[float]:
        found = look_back(LookBackArguments(hosts=hosts, state=tmp_path, library=library, **more))
        known = [one.leak for host in found for one in host.baselines if one.leak]
        return [round(one["growth_bytes_per_second"] * HOUR / MIB) for one in known]

    assert leaks("web") == leaks("web", since=now - HOUR) == leaks("web", holder="api") == [60]
    assert leaks("web", "db", holder="api") == [60, 60]
    assert leaks("web", "db", points=False) == leaks("web", metrics=("memory",)) == []


def kept(state: Path, *hosts: str) -> None:
    """Two days of available memory, swap and one service, an hour apart."""
    now = SystemClock().now().utc
    points = tuple(Observation(now - hour * HOUR, 5.0 * GIB, "b", 16.0 * GIB) for hour in range(48, 0, -1))
    series = [
        Series("host", "", "memory.available_bytes", points),
        Series("host", "", "swap.used_bytes", points),
        Series("unit", "a.service", "units.x", points),
    ]
    for host in hosts:
        Stored(state).past().keep(host, host, series)


def test_of_many_hosts_only_their_room_is_read(tmp_path: Path) -> None:
    kept(tmp_path, "web", "db")
    library = Library((), None, None, None)
    found = look_back(LookBackArguments(state=tmp_path, library=library, points=False))
    assert [{one.figure for one in host.series} for host in found] == [{"memory.available_bytes", USED}] * 2
    assert [round(host.left or 0.0) for host in found] == [31, 31]
    assert not [one for host in found for one in host.series if one.points]
    whole = look_back(LookBackArguments(state=tmp_path, library=library))
    assert [len(host.series) for host in whole] == [4, 4]
    (one,) = look_back(LookBackArguments(hosts=("db",), state=tmp_path, library=library, points=False))
    assert len(one.series) == 4
    series, _ = Stored(tmp_path).past().told("web", "", 0.0, frozenset({"swap.used_bytes"}))
    assert [one.figure for one in series] == ["swap.used_bytes"]


@pytest.mark.parametrize("length", [250, 255, 256, 400])
def test_a_holder_whose_name_is_too_long_to_be_kept_is_found_by_it(tmp_path: Path, length: int) -> None:
    """With ".service" behind it a name may be too long that is not without it."""
    name, now = "n" * length, SystemClock().now().utc
    points = (Observation(now - HOUR, 1.0), Observation(now - 60, 2.0))
    kept_as = kept_name(f"{name}.service")
    Stored(tmp_path).past().keep("web", "m", [Series("unit", kept_as, "units.own_bytes", points)])
    library = Library((), None, None, None)
    for given in (name, f"{name}.service", kept_as):
        asked = LookBackArguments(hosts=("web",), holder=given, state=tmp_path, library=library)
        assert [one.name for host in look_back(asked) for one in host.series] == [kept_as], given


def test_what_is_asked_for_and_not_there_says_what_is(tmp_path: Path) -> None:
    kept(tmp_path, "web")
    library, hosts = Library((), None, None, None), ("web",)

    def refused(**more: Any) -> UsageError:
        with pytest.raises(UsageError) as error:
            look_back(LookBackArguments(hosts=hosts, state=tmp_path, library=library, **more))
        return error.value

    assert "did you mean 'memory.available_bytes'?" in refused(metrics=("memory.availble_bytes",)).hint
    assert refused(holder="b.service").hint == "did you mean 'a.service'?"
    now = SystemClock().now().utc
    later = LookBackArguments(hosts=hosts, metrics=(USED,), since=now, state=tmp_path, library=library)
    assert [one.series for one in look_back(later)] == [()]


def test_a_reading_is_held_against_what_a_leak_is_told_from_alone(tmp_path: Path) -> None:
    points = (Observation(SystemClock().now().utc - HOUR, 5.0 * GIB, "b"),)
    stored = Stored(tmp_path)
    figures = ("units.own_bytes", "units.memory_bytes")
    stored.past().keep("web", "m", [Series("unit", "a.service", figure, points) for figure in figures])
    found = StoredRecall(lambda: stored).series("web", "m", 0.0)
    assert [one.figure for one in found] == ["units.own_bytes"]
