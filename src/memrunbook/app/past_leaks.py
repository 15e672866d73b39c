"""Who leaks by what is kept of a host: as its next reading would say, from the points alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import structs

from memrunbook.core.reading.baseline import AVAILABLE, UNIT_OWN
from memrunbook.core.reading.fact import EarlierReadings, Reading
from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import DAY
from memrunbook.facts.shared.leaking import CACHES, GROUPS, PAGE_TABLES, PER_CPU, PROCESSES, SLAB
from memrunbook.facts.shared.leaks import Leak, MemoryHolder, leaks_of, together
from memrunbook.facts.shared.room import room_of
from memrunbook.linux.attribution import kind_of

JUDGED = frozenset({UNIT_OWN, GROUPS, PROCESSES, CACHES, SLAB, PER_CPU, PAGE_TABLES})
KNOWN = 7 * DAY
"""As much as a reading is held against."""
SWAP_FREE = "swap.free_bytes"
SeriesKey = tuple[Kind, str, str]
"""Kind, name and figure of a series."""


class _Room(Reading, frozen=True, kw_only=True):
    """What the newest points say of the host's RAM, or of its swap."""

    total_bytes: int | None = None
    available_bytes: int | None = None
    free_bytes: int | None = None


def past_leaks(series: Sequence[Series]) -> dict[SeriesKey, Leak]:
    """The leaks among what was there at a host's last reading, by their series.

    As in a reading a slice leaks with what is in it, and leaks that hold no memory in common fill the host together.
    """
    judged = sorted((one for one in series if one.figure in JUDGED and one.points and _in(one) != "slice"), key=_alike)
    at = max((one.points[-1].at for one in judged), default=0.0)
    readings = _readings(series)
    found: dict[str, list[tuple[SeriesKey, Leak]]] = defaultdict(list)
    for (together_with, kind, figure), alike in groupby(judged, key=_alike):
        recent = [(one, tuple(point for point in one.points if point.at >= at - KNOWN)) for one in alike]
        kept = tuple(Series(kind, one.name, figure, points) for one, points in recent if points)
        there = [_holder(one) for one in kept if one.points[-1].at == at]
        leaks = leaks_of(kind, figure, there, EarlierReadings(at, readings, kept))
        found[together_with] += [((kind, leak.name, figure), leak) for leak in leaks]
    return {key: leak for some in found.values() for key, leak in _together(some, room_of(readings))}


def _alike(series: Series) -> tuple[str, Kind, str]:
    """With whom it fills the host, and what it is judged with; pods hold containers once more."""
    whom = "groups" if series.figure == GROUPS else series.figure
    whom = "kernel" if series.figure in (PER_CPU, PAGE_TABLES) else whom
    return "pods" if _in(series) == "pod" else whom, series.kind, series.figure


def _in(series: Series) -> str:
    """What a control group is; empty for all else."""
    return kind_of(series.name) if series.kind == "cgroup" else ""


def _together(leaks: Sequence[tuple[SeriesKey, Leak]], room: int | None) -> Iterator[tuple[SeriesKey, Leak]]:
    counted = together([structs.replace(leak, name=str(place)) for place, (_, leak) in enumerate(leaks)], room)
    return ((key, structs.replace(one, name=key[1])) for one in counted for key in [leaks[int(one.name)][0]])


def _holder(series: Series) -> MemoryHolder:
    last = series.points[-1]
    limit = None if last.limit is None else int(last.limit)
    return MemoryHolder(series.name, int(last.value), last.life, limit)


def _readings(series: Sequence[Series]) -> Mapping[str, Reading]:
    available, free = _last(series, AVAILABLE), _last(series, SWAP_FREE)
    total = None if available is None or available.limit is None else int(available.limit)
    left = None if available is None else int(available.value)
    swap = 0 if free is None else int(free.value)
    return {"memory": _Room(total_bytes=total, available_bytes=left), "swap": _Room(free_bytes=swap)}


def _last(series: Sequence[Series], figure: str) -> Observation | None:
    return next((one.points[-1] for one in series if one.figure == figure and one.points), None)
