"""Dirty pages: how much waits to be written, how near that is to the limit, and whether writers are made to wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import (
    NO_PAGE_SIZE,
    FieldValues,
    Rate,
    Readings,
    intervals,
    latest,
    split,
    whole_per_second,
)
from memrunbook.facts.vmstat import VMSTAT

BLOCKED = "blocked"
BYTES, PERCENT = Unit.BYTES, Unit.PERCENT

# /proc/stat names its interrupts in one line that is tens of KiB long on large hosts: only one line goes over the wire.
SCRIPT = """\
{ while read -r b_key b_value; do
    case $b_key in procs_blocked) printf '%s\\n' "$b_value"; break ;; esac
  done; } </proc/stat"""


class WritebackReading(Reading, frozen=True, kw_only=True):
    """Dirty pages in bytes; percentages are of the limit at which writers wait for the disk."""

    dirty_bytes: Annotated[int | None, Doc("file pages to be written", BYTES, "nr_dirty")] = None
    writeback_bytes: Annotated[int | None, Doc("file pages being written", BYTES, "nr_writeback")] = None
    pending_bytes: Annotated[int | None, Doc("both together", BYTES, "nr_dirty + nr_writeback")] = None
    limit_bytes: Annotated[
        int | None, Doc("pending pages at which writers wait for the disk", BYTES, "nr_dirty_threshold (2.6.37+)")
    ] = None
    background_bytes: Annotated[
        int | None, Doc("pending pages at which writing starts", BYTES, "nr_dirty_background_threshold (2.6.37+)")
    ] = None
    free_run_bytes: Annotated[
        int | None,
        Doc(
            "pending pages above which writers are slowed down", BYTES, "mm/page-writeback.c: (limit + background) / 2"
        ),
    ] = None
    pending_percent: Annotated[float | None, Doc("pending share of the limit", PERCENT, "pending / limit")] = None
    pending_percent_min: Annotated[
        float | None, Doc("the same, the lowest of all samples", PERCENT, "pending / limit")
    ] = None
    blocked_processes: Annotated[
        int | None, Doc("tasks that wait for input or output", Unit.COUNT, "/proc/stat procs_blocked")
    ] = None
    throttled: Annotated[
        bool | None, Doc("writers are slowed down: above the free run in every sample", source="pending >= free run")
    ] = None
    written_bytes_per_second: Annotated[
        int | None, Doc("written back, to swap too", Unit.BYTES_PER_SECOND, "nr_written (2.6.37+)")
    ] = None


def parse(samples: Samples, readings: Readings) -> WritebackReading | Unavailable:
    """Reads the gauges of all samples; kernels before 2.6.37 have no limits in vmstat."""
    answer = latest(samples, VMSTAT)
    if answer.problem:
        return answer.problem
    series = [numbers.keyed(text) for sample in samples if (text := sample.text(VMSTAT)) is not None]
    if not series[-1]:
        return Unavailable("failed", f"{VMSTAT} holds no counter")
    page = page_size(readings)
    pages = [_pages(one) for one in series]
    shares = [numbers.share(one["pending_bytes"], one["limit_bytes"]) for one in pages]
    known = [share for share in shares if share is not None]
    blocked = latest(samples, BLOCKED)
    found: FieldValues = {
        name: None if count is None else numbers.fits(count * page) if page else NO_PAGE_SIZE
        for name, count in pages[-1].items()
    }
    found |= {
        "pending_percent": shares[-1],
        "pending_percent_min": min(known, default=None),
        "blocked_processes": blocked.problem or numbers.whole(blocked.text),
        "throttled": _throttled(pages),
        "written_bytes_per_second": whole_per_second(intervals(samples, VMSTAT), Rate(("nr_written",), page))
        if page
        else NO_PAGE_SIZE,
    }
    values, gaps = split(found)
    return WritebackReading(**values, unavailable=gaps)


def _pages(counters: Mapping[str, int]) -> dict[str, int | None]:
    """The gauges in pages, by the field that they become."""
    dirty, writing = counters.get("nr_dirty"), counters.get("nr_writeback")
    limit, background = counters.get("nr_dirty_threshold"), counters.get("nr_dirty_background_threshold")
    return {
        "dirty_bytes": dirty,
        "writeback_bytes": writing,
        "pending_bytes": None if dirty is None or writing is None else dirty + writing,
        "limit_bytes": limit,
        "background_bytes": background,
        "free_run_bytes": None if limit is None or background is None else (limit + background) // 2,
    }


def _throttled(pages: list[dict[str, int | None]]) -> bool | None:
    pairs = [(one["pending_bytes"], one["free_run_bytes"]) for one in pages]
    known = [pending >= free_run for pending, free_run in pairs if pending is not None and free_run is not None]
    return all(known) if len(known) == len(pairs) else None


FACT = Fact(
    reading=WritebackReading,
    parse=parse,
    asks=(Read(VMSTAT, each=True), Walk(BLOCKED, SCRIPT, each=True)),
    needs=("host",),
    meaning="dirty pages that wait to be written",
)
