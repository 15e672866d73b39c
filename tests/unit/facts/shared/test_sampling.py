from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.facts.shared.sampling import (
    ABSENT,
    ONE_SAMPLE,
    WENT_DOWN,
    Rate,
    intervals,
    latest,
    per_second,
    split,
    whole_per_second,
)

KEY = "/proc/vmstat"


def samples(*found: tuple[float, str]) -> tuple[Sample, ...]:
    return tuple(Sample(at, at, {KEY: Answer(text)}) for at, text in found)


def test_the_newest_text_counts() -> None:
    assert latest(samples((1, "old"), (2, "new")), KEY).text == "new"


def test_without_any_text_the_first_problem_is_told() -> None:
    denied = Answer(problem=Unavailable("denied", "no"))
    assert latest((Sample(1, 1, {KEY: denied}), Sample(2, 2, {})), KEY) == denied


def test_a_rate_is_growth_by_uptime() -> None:
    pairs = intervals(samples((10, "a 5\nb 1"), (12, "a 9\nb 2")), KEY)
    assert per_second(pairs, Rate(("a",))) == 2.0
    assert per_second(pairs, Rate(("a", "b", "gone"))) == 2.5
    assert whole_per_second(pairs, Rate(("b",), worth=4096)) == 2048


def test_last_and_lowest_interval_differ() -> None:
    pairs = intervals(samples((0, "a 0"), (1, "a 3"), (2, "a 10")), KEY)
    assert per_second(pairs, Rate(("a",))) == 7.0
    assert per_second(pairs, Rate(("a",), lowest=True)) == 3.0


@pytest.mark.parametrize("seconds", [0.0, -5.0, 0.04, float("nan")])
def test_samples_without_time_between_them_make_no_rate(seconds: float) -> None:
    assert per_second(intervals(samples((10, "a 1"), (10 + seconds, "a 2")), KEY), Rate(("a",))) is ONE_SAMPLE


def test_a_counter_that_goes_down_makes_no_rate() -> None:
    pairs = intervals(samples((0, "a 9\nb 0"), (1, "a 1\nb 100")), KEY)
    assert per_second(pairs, Rate(("a",))) is WENT_DOWN
    assert per_second(pairs, Rate(("a", "b"))) is WENT_DOWN
    assert per_second(pairs, Rate(("a",), lowest=True)) is WENT_DOWN


def test_an_unknown_counter_is_absent() -> None:
    pairs = intervals(samples((0, "a 9"), (1, "a 10")), KEY)
    assert per_second(pairs, Rate(("b",))) is ABSENT
    assert whole_per_second(pairs, Rate(("b",))) is ABSENT


def test_a_rate_beyond_64_bits_is_missing() -> None:
    pairs = intervals(samples((0, "a 0"), (1, f"a {1 << 62}")), KEY)
    assert whole_per_second(pairs, Rate(("a",), worth=4096)) is None


def test_values_and_reasons_are_divided() -> None:
    assert split({"a": 1, "b": ABSENT, "c": None}) == ({"a": 1, "c": None}, {"b": ABSENT})
