"""Medians, ratios of the same round, goals and tables."""

from __future__ import annotations

from math import isnan, nan

import pytest
from bench.figures import Figures, Goal, further, growth, median, number, ratio, table
from bench.meter import Cost


def test_the_median_is_the_middle_and_no_number_for_none() -> None:
    assert median([3.0, 1.0, 100.0]) == 3.0
    assert isnan(median([]))


def test_a_ratio_compares_within_a_round() -> None:
    # The second round was ten times slower for both: the medians alone would say 4 : 2, or worse.
    assert ratio([3.0, 40.0, 4.0], [2.0, 20.0, 1.0]) == 2.0
    assert ratio([3.0, 1.0], [0.0, 4.0]) == 0.25
    assert isnan(ratio([1.0], []))


def test_growth_is_by_host() -> None:
    assert growth(10.0, 100.0, 90) == 1.0
    assert isnan(growth(10.0, 10.0, 0))


def test_a_further_sample_is_what_three_cost_more_than_one() -> None:
    assert further([50.0], [70.0], [40.0]) == 0.25


@pytest.mark.parametrize(
    ("value", "said"), [(0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234"), (-250.0, "-250"), (nan, "-")]
)
def test_numbers_have_three_digits(value: float, said: str) -> None:
    assert number(value) == said


def test_a_goal_is_met_up_to_its_limit() -> None:
    goal = Goal("wall / floor", 1.5)
    assert goal.limit == "<= 1.50"
    assert goal.verdict(1.5) == "1.50, met"
    assert goal.verdict(1.6) == "1.60, **missed**"
    assert goal.verdict(nan) == "-"
    assert Goal("CPU", 0.5, "s").limit == "<= 0.50 s"


def test_a_table_is_markdown() -> None:
    said = table("Two", ["what", "ms"], [["a", 1.0], ["b", nan]])
    assert said == "### Two\n\n| what | ms |\n| --- | ---: |\n| a | 1.00 |\n| b | - |\n"


def test_figures_keep_rounds_apart() -> None:
    figures = Figures()
    for wall in (1.0, 2.0, 9.0):
        figures.add("ours", 10, Cost(wall * 3, 0.1, 0))
        figures.add("floor", 10, Cost(wall, 0.1, 0))
    assert figures.median("ours", 10, lambda cost: cost.wall) == 6.0
    assert figures.ratio("ours", "floor", 10, lambda cost: cost.wall) == 3.0
    assert figures.has("ours", 10)
    assert not figures.has("ours", 1)
