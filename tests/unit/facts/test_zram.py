from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.facts import zram


@pytest.mark.parametrize("stat", ["", "1 2", "a b c", "1 2 -3", f"1 2 {'9' * 30}"])
def test_a_device_without_its_numbers_is_left_out(stat: str) -> None:
    answers = {"/sys/block/zram0/mm_stat": Answer(stat), "/sys/block/zram1/mm_stat": Answer("40 20 10 0 0 0 0")}
    reading = zram.parse((Sample(0, 0, answers),), {})
    assert isinstance(reading, zram.ZramReading)
    assert [(device.name, device.ratio) for device in reading.devices] == [("zram1", 4.0)]


def test_none_in_a_sample_cut_short_is_unknown_not_absent() -> None:
    assert zram.parse((Sample(0, 0, {}),), {}) == Unavailable("absent", "no zram device with mm_stat")
    cut = zram.parse((Sample(0, 0, {}, complete=False),), {})
    assert isinstance(cut, Unavailable)
    assert cut.reason == "failed"


@pytest.mark.parametrize(
    ("stat", "limit", "full"),
    [
        ("900 400 380 400 390 0 0", 400, True),
        ("900 400 379 400 390 0 0", 400, False),
        ("900 400 380 0 390 0 0", None, False),
        ("900 400 380", None, False),
        ("900 400 400 400 400 0 0 0 0", 400, True),
        ("0 0 0 400 0 0 0", 400, False),
    ],
)
def test_a_device_at_its_own_limit_of_memory_is_full(stat: str, limit: int | None, *, full: bool) -> None:
    reading = zram.parse((Sample(0, 0, {"/sys/block/zram0/mm_stat": Answer(stat)}),), {})
    assert isinstance(reading, zram.ZramReading)
    assert (reading.devices[0].limit_bytes, reading.full) == (limit, full)
