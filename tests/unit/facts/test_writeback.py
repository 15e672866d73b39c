from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, tree, walked

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.facts.host import HostReading
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, ONE_SAMPLE
from memrunbook.facts.vmstat import VMSTAT
from memrunbook.facts.writeback import BLOCKED, SCRIPT, WritebackReading, parse

PAGE = 65536


def sample(at: float, dirty: int, writing: int = 0, *, limit: int = 200, written: int = 0) -> Sample:
    text = (
        f"nr_dirty {dirty}\nnr_writeback {writing}\nnr_written {written}\n"
        f"nr_dirty_threshold {limit}\nnr_dirty_background_threshold 100\n"
    )
    return Sample(at, at, {VMSTAT: Answer(text), BLOCKED: Answer("3\n")})


def read(*samples: Sample, page: int | None = PAGE) -> WritebackReading:
    reading = parse(samples, {"host": HostReading(uptime_seconds=1.0, page_size_bytes=page)})
    assert isinstance(reading, WritebackReading)
    return reading


def test_pages_become_bytes_and_shares_of_the_limit() -> None:
    found = read(sample(10.0, 30, 10, written=100), sample(20.0, 120, 30, written=200))
    assert (found.dirty_bytes, found.writeback_bytes, found.pending_bytes) == (120 * PAGE, 30 * PAGE, 150 * PAGE)
    assert (found.limit_bytes, found.background_bytes, found.free_run_bytes) == (200 * PAGE, 100 * PAGE, 150 * PAGE)
    assert (found.pending_percent, found.pending_percent_min) == (75.0, 20.0)
    assert (found.blocked_processes, found.written_bytes_per_second) == (3, 10 * PAGE)
    assert found.unavailable == {}


@pytest.mark.parametrize(
    ("dirty", "expected"), [((150, 150), True), ((149, 190), False), ((190, 149), False), ((200,), True)]
)
def test_writers_are_throttled_when_every_sample_is_above_the_free_run(
    dirty: tuple[int, ...], *, expected: bool
) -> None:
    found = read(*(sample(10.0 + place, pages - 1, 1) for place, pages in enumerate(dirty)))
    assert found.throttled is expected


def test_one_sample_has_no_rate() -> None:
    assert read(sample(10.0, 1)).unavailable == {"written_bytes_per_second": ONE_SAMPLE}


def test_a_limit_of_nothing_has_no_share() -> None:
    found = read(sample(10.0, 1, limit=0), sample(20.0, 1))
    assert (found.pending_percent, found.pending_percent_min) == (0.5, 0.5)
    assert read(sample(10.0, 1, limit=0)).pending_percent_min is None


def test_without_the_page_size_shares_still_stand() -> None:
    found = read(sample(10.0, 100), sample(20.0, 160), page=None)
    assert (found.pending_bytes, found.written_bytes_per_second) == (None, None)
    assert found.unavailable["pending_bytes"] == NO_PAGE_SIZE
    assert found.unavailable["written_bytes_per_second"] == NO_PAGE_SIZE
    assert (found.pending_percent, found.throttled) == (80.0, False)


def test_kernels_without_the_limits_leave_them_unknown() -> None:
    found = read(Sample(1.0, 1.0, {VMSTAT: Answer("nr_dirty 5\n"), BLOCKED: Answer("\n")}))
    assert (found.dirty_bytes, found.pending_bytes, found.limit_bytes, found.throttled) == (5 * PAGE, None, None, None)
    assert (found.pending_percent, found.blocked_processes) == (None, None)


def test_no_counters_no_reading() -> None:
    denied = Unavailable("denied", "permission denied")
    assert parse((Sample(1.0, 1.0, {VMSTAT: Answer(problem=denied)}),), {}) == denied
    junk = parse((Sample(1.0, 1.0, {VMSTAT: Answer("?\n")}),), {})
    assert isinstance(junk, Unavailable)
    assert junk.reason == "failed"


def test_blocked_tasks_that_could_not_be_counted_say_why() -> None:
    late = Unavailable("timeout", "blocked: no answer")
    one = sample(1.0, 5)
    one.answers[BLOCKED] = Answer(problem=late)
    found = read(one)
    assert found.blocked_processes is None
    assert found.unavailable["blocked_processes"] == late


@pytest.mark.parametrize("shell", SHELLS)
def test_one_number_is_taken_from_the_statistics(shell: tuple[str, ...], tmp_path: Path) -> None:
    text = f"cpu 1 2\nintr {'0 ' * 9000}\nprocs_running 5\nprocs_blocked 4\nsoftirq 1\n"
    tree(tmp_path, {"stat": text})
    assert walked(shell, SCRIPT.replace("/proc/stat", str(tmp_path / "stat"))) == "4\n"
    assert walked(shell, SCRIPT).strip().isdecimal()
