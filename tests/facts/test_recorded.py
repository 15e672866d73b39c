"""Recorded answers: CASE.txt in the wire format of a probe, CASE.json what the fact must say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memrunbook import catalog
from memrunbook.core.reading.fact import Reading, Samples, Unavailable
from memrunbook.core.reading.probe import CASE, read_sample

FOLDER = Path(__file__).parent
CASES = sorted(path.relative_to(FOLDER).with_suffix("") for path in FOLDER.glob("*/*.txt"))


def samples_of(path: Path) -> Samples:
    _, *texts = path.read_text(encoding="utf-8").split(f"@@{CASE} begin ")
    return tuple(read_sample(f"@@{CASE} begin {text}", CASE) for text in texts)


def reading_of(name: str, samples: Samples) -> Reading | Unavailable:
    """Facts that this one needs are read from the same answers."""
    fact = catalog.facts()[name]
    return fact.parse(samples, {need: reading_of(need, samples) for need in fact.needs})


def assert_says(found: Any, expected: Any, place: str) -> None:
    """Only the keys that the case lists are compared; numbers to the kernel's own three decimals."""
    if isinstance(expected, dict) and expected:
        assert isinstance(found, dict), place
        for key, value in expected.items():
            assert key in found, f"{place}.{key} is missing"
            assert_says(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for index, value in enumerate(expected):
            assert_says(found[index], value, f"{place}[{index}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-3), place
    else:
        assert found == expected, place


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_answers_give_the_reading(case: Path) -> None:
    path = FOLDER / case
    reading = reading_of(case.parts[0], samples_of(path.with_suffix(".txt")))
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert_says(msgspec.to_builtins(reading), expected, str(case))


def test_no_expectation_stands_without_its_answers() -> None:
    expected = {path.relative_to(FOLDER).with_suffix("") for path in FOLDER.glob("*/*.json")}
    assert expected == set(CASES)
