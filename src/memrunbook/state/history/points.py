"""Points as they are stored: packed by reading, each series of a host by a small number (its slot). Pure.

A fine row holds a value for each slot, a coarse one the least, the mean and the largest of an hour. Values are floats
of 32 bits: they tell 4 KiB of 64 GiB apart.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping

MILLISECONDS = 1000
HOUR = 3600 * MILLISECONDS
"""Milliseconds of a coarse row; all times in this package are milliseconds since 1970 but where said."""
TIME_BITS = 42
LATEST = (1 << TIME_BITS) - 1
MOST_HOSTS = 1 << 20
MOST_SLOTS = 1 << 16
_SLOT, _VALUE = 2, 4

Fine = dict[int, float]
"""By slot the value."""
Coarse = dict[int, tuple[float, float, float]]
"""By slot the least, the mean and the largest value of an hour."""


def key(host: int, at: int, *, coarse: bool) -> int:
    """The place of a row: after all earlier ones of the same host and resolution."""
    return (host * 2 + coarse) << TIME_BITS | max(0, min(at, LATEST))


def time_of(place: int) -> int:
    """When the row at a place was read, or its hour began."""
    return place & LATEST


def hour_of(at: int) -> int:
    """When the hour of a moment began."""
    return at - at % HOUR


def pack_fine(points: Mapping[int, float]) -> bytes:
    """The points of one reading."""
    return _packed(points, points.values())


def unpack_fine(packed: bytes) -> Fine:
    """What `pack_fine` packed."""
    slots, values = _unpacked(packed, 1)
    return dict(zip(slots, values, strict=True))


def pack_coarse(points: Mapping[int, tuple[float, float, float]]) -> bytes:
    """The points of one hour."""
    return _packed(points, (value for three in points.values() for value in three))


def unpack_coarse(packed: bytes) -> Coarse:
    """What `pack_coarse` packed."""
    slots, values = _unpacked(packed, 3)
    return dict(zip(slots, zip(values[::3], values[1::3], values[2::3], strict=True), strict=True))


def folded(rows: Iterable[Mapping[int, float]], without: frozenset[int] = frozenset()) -> Coarse:
    """The readings of one hour as one row, without some slots."""
    values: dict[int, list[float]] = {}
    for row in rows:
        for slot, value in row.items():
            values.setdefault(slot, []).append(value)
    return {
        slot: (min(found), sum(found) / len(found), max(found)) for slot, found in values.items() if slot not in without
    }


def _packed(slots: Iterable[int], values: Iterable[float]) -> bytes:
    return _little(array("H", slots)).tobytes() + _little(array("f", values)).tobytes()


def _unpacked(packed: bytes, count: int) -> tuple[array[int], array[float]]:
    number = len(packed) // (_SLOT + count * _VALUE)
    slots, values = array("H"), array("f")
    slots.frombytes(packed[: number * _SLOT])
    values.frombytes(packed[number * _SLOT :])
    return _little(slots), _little(values)


def _little(numbers: array) -> array:  # type: ignore[type-arg]  # of either kind
    """A server is asked by machines of both kinds."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
