"""Numbers drawn in text: nothing is wider than asked for, the largest is on top, ASCII where that is all there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.reading.series import Observation
from memrunbook.core.units import Unit
from memrunbook.ui.plot import Canvas, plot, sparkline

NOW = 1_700_000_000.0
POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e15)), min_size=1, max_size=30)


def rising(count: int = 100, every: float = 300.0) -> list[Observation]:
    return [Observation(NOW + number * every, 1e6 * number) for number in range(count)]


def test_a_course_goes_from_the_least_to_the_largest() -> None:
    assert sparkline([0.0, 7.0, None, 14.0]) == "▁▅ █"
    assert sparkline([0.0, 7.0, None, 14.0], plain=True) == "_= #"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([100.0, 101.0]) == "▁▂"
    assert sparkline([None]) == " "
    assert sparkline([0.0]) == "▁"


def test_a_plot_has_its_axes_with_units_and_times() -> None:
    lines = plot(rising(), Unit.BYTES, Canvas(60, 6), (NOW + 50 * 300,))
    assert lines[0].startswith("99.1 MiB │")
    assert lines[5].startswith("     0 B │")
    assert lines[6].startswith("         └──")
    assert lines[7].strip() == "^"
    assert lines[8].split() == ["11-14", "22:13", "11-15", "02:20", "11-15", "06:28"]


def test_a_plain_one_is_ascii() -> None:
    lines = plot(rising(), Unit.BYTES, Canvas(60, 6, plain=True))
    assert all(line.isascii() for line in lines)
    assert lines[0].rstrip().endswith("*")
    assert lines[5].split("|")[1].startswith("*")


def test_hours_of_one_day_need_no_date() -> None:
    assert plot(rising(10), Unit.COUNT, Canvas(60))[-1].split() == ["22:13", "22:35", "22:58"]


@given(POINTS, st.integers(20, 120), st.booleans())
def test_no_line_is_wider_than_asked_for(points: list[tuple[float, float]], width: int, plain: bool) -> None:  # noqa: FBT001
    ordered = [Observation(at, value) for at, value in sorted(points)]
    lines = plot(ordered, Unit.COUNT, Canvas(max(width, 60), plain=plain), (ordered[0].at, ordered[-1].at))
    assert all(len(line) <= max(width, 60) for line in lines)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_single_point_is_drawn(value: float) -> None:
    assert any("*" in line for line in plot([Observation(NOW, value)], Unit.NONE, Canvas(40, 4, plain=True)))


@pytest.mark.parametrize(
    ("unit", "values", "said"),
    [
        (Unit.BYTES_PER_SECOND, (0.0, 0.0), ["1.0 MiB/s", "0.5 MiB/s", "0.0 MiB/s"]),
        (Unit.BYTES_PER_SECOND, (0.0, 100.0), ["0.4 MiB/h", "0.2 MiB/h", "0.0 MiB/h"]),
        (Unit.BYTES_PER_SECOND, (0.0, 2.0), ["7.4 KiB/h", "3.7 KiB/h", "0.0 KiB/h"]),
        (Unit.BYTES, (0.0, 0.0), ["1.0 MiB", "512.0 KiB", "0 B"]),
        (Unit.BYTES, (10.0 * 2**30, 10.01 * 2**30), ["10.011 GiB", "10.005 GiB", "9.999 GiB"]),
        (Unit.PERCENT, (0.0, 0.05), ["0.05 %", "0.03 %", "0.00 %"]),
    ],
)
def test_an_axis_says_three_things_in_one_unit(unit: Unit, values: tuple[float, ...], said: list[str]) -> None:
    lines = plot([Observation(NOW + at, value) for at, value in enumerate(values)], unit, Canvas(60))
    assert [one.partition("│")[0].strip() for one in lines[:10] if one.partition("│")[0].strip()] == said
