from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.runtime.packing import LARGE, packed

LOG = "a line of the log \udc80 \u00e9\n" * LARGE
DENIED = Answer(problem=Unavailable("denied", "no"))


def sample() -> Sample:
    return Sample(1.0, 2.0, {"dmesg": Answer(LOG), "/proc/meminfo": Answer("MemTotal: 1 kB\n"), "/x": DENIED})


def test_large_answers_come_back_as_they_were() -> None:
    one = sample()
    with packed(one):
        assert one.text("dmesg") == ""
        assert one.text("/proc/meminfo") == "MemTotal: 1 kB\n"
    assert one == sample()
    assert list(one.answers) == list(sample().answers)


def test_they_come_back_whatever_is_raised() -> None:
    one = sample()
    with pytest.raises(KeyboardInterrupt), packed(one):
        raise KeyboardInterrupt
    assert one == sample()
