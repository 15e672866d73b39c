from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.thp import DEFRAG, ENABLED, ThpReading, parse


def test_the_word_in_brackets_is_the_setting() -> None:
    answers = {
        ENABLED: Answer("[always] madvise never\n"),
        DEFRAG: Answer("always defer [defer+madvise] madvise never\n"),
        MEMINFO: Answer("AnonHugePages:   2048 kB\n"),
    }
    assert parse((Sample(1.0, 1.0, answers),), {}) == ThpReading(
        enabled="always", defrag="defer+madvise", anonymous_bytes=2 << 20
    )


def test_what_is_not_said_is_missing() -> None:
    found = parse((Sample(1.0, 1.0, {ENABLED: Answer("always [never]\n"), DEFRAG: Answer("[\x1b[2J]")}),), {})
    assert found == ThpReading(enabled="never")


@pytest.mark.parametrize("text", ["always madvise never\n", "[]\n", "[NEVER]\n"])
def test_no_choice_no_reading(text: str) -> None:
    found = parse((Sample(1.0, 1.0, {ENABLED: Answer(text)}),), {})
    assert isinstance(found, Unavailable)
    assert found.reason == "failed"


def test_a_kernel_without_them_is_absent() -> None:
    absent = Unavailable("absent", "no such file")
    assert parse((Sample(1.0, 1.0, {ENABLED: Answer(problem=absent)}),), {}) == absent
