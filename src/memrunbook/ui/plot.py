"""Draws numbers over time in text: a line of blocks, or a plot of dots with its axes; ASCII where there is no more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memrunbook.core.reading.series import Observation
from memrunbook.core.units import DAY, GIB, HOUR, KIB, MIB, Unit, format_value

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-:=+*#"
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of a braille character, by column and by row from the top (Unicode 10.0, U+2800)."""
BRAILLE = 0x2800
HEIGHT = 10
LEAST_SPAN = 0.05
"""Of its largest value: what moves less is drawn flat."""
RATES = ((MIB, "MiB/s"), (MIB / HOUR, "MiB/h"), (KIB / HOUR, "KiB/h"), (1 / HOUR, "B/h"))
SCALES: Mapping[Unit, Sequence[tuple[float, str]]] = {
    Unit.BYTES: ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"), (1, "B")),
    Unit.BYTES_PER_SECOND: RATES,
    Unit.PERCENT: ((1, "%"),),
    Unit.SECONDS: ((1, "s"),),
}
"""What an axis is written in, the largest first."""
LEAST_STEPS = 0.2
"""Of a unit: an axis that reaches less is written in the next smaller one."""
MOST_DECIMALS = 6
ZERO_TO: Mapping[Unit, float] = {Unit.BYTES: MIB, Unit.BYTES_PER_SECOND: MIB}
"""How far an axis reaches where all is zero."""


class Canvas(NamedTuple):
    """How large a plot is, in characters, and whether it may be more than ASCII."""

    width: int
    height: int = HEIGHT
    plain: bool = False


def sparkline(course: Sequence[float | None], *, plain: bool = False) -> str:
    """One character for each part of the time, from the least to the largest; a blank where nothing is known."""
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    known = [value for value in course if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    span = max(high - low, LEAST_SPAN * abs(high)) or 1.0
    return "".join(
        " " if value is None else blocks[min(len(blocks) - 1, int((value - low) / span * len(blocks)))]
        for value in course
    )


def plot(points: Sequence[Observation], unit: Unit, canvas: Canvas, marks: Sequence[float] = ()) -> list[str]:
    """The lines of a plot of at least one point, with its axes; times are UTC, `marks` are moments below the axis."""
    since, until = points[0].at, points[-1].at
    low, high = bounds([point.value for point in points], unit)
    labels = axis_labels((high, (high + low) / 2, low), unit)
    margin = max(map(len, labels))
    inner = canvas._replace(width=max(10, canvas.width - margin - 2))
    rows = _rows(points, (since, until), (low, high), inner)
    named = dict(zip((0, (inner.height - 1) // 2, inner.height - 1), labels, strict=True))
    wall, floor, corner = ("|", "-", "+") if canvas.plain else ("│", "─", "└")
    lines = [f"{named.get(number, ''):>{margin}} {wall}{row}".rstrip() for number, row in enumerate(rows)]
    lines.append(f"{'':>{margin}} {corner}{floor * inner.width}")
    if marks:
        lines.append(f"{'':>{margin}}  {_marked(marks, since, until, inner.width)}".rstrip())
    lines.append(f"{'':>{margin}}  {_times(since, until, inner.width)}")
    return lines


def axis_labels(values: Sequence[float], unit: Unit) -> list[str]:
    """The values of an axis, in words that differ: rates, and what lies close together, in one unit."""
    words = [format_value(value, unit) for value in values]
    if unit is not Unit.BYTES_PER_SECOND and len({*words}) == len(words):
        return words
    scales, largest = SCALES.get(unit, ((1, ""),)), max(map(abs, values))
    scale, name = next((one for one in scales if largest >= LEAST_STEPS * one[0]), scales[-1])
    for decimals in range(1, MOST_DECIMALS + 1):
        words = [f"{value / scale:,.{decimals}f} {name}".rstrip() for value in values]
        if len({*words}) == len(words):
            break
    return words


def bounds(values: Sequence[float], unit: Unit) -> tuple[float, float]:
    """The least and the largest value of the axis: from 0 where the line comes near it, never without a height."""
    low, high = min(values), max(values)
    if 0 <= low < high / 2 or high == low == 0:
        low = 0.0
    room = (high - low) * 0.05 or abs(high) * 0.05 or ZERO_TO.get(unit, 1.0)
    return (low if low == 0 else low - room), high + room


def _rows(
    points: Sequence[Observation], times: tuple[float, float], bounds: tuple[float, float], canvas: Canvas
) -> list[str]:
    across, down = (1, 1) if canvas.plain else (2, 4)
    wide, tall = canvas.width * across, canvas.height * down
    dots: set[tuple[int, int]] = set()
    before: tuple[int, int] | None = None
    for column, value in enumerate(_columns(points, times, wide)):
        if value is None:
            continue
        row = min(tall - 1, max(0, int((bounds[1] - value) / (bounds[1] - bounds[0]) * tall)))
        near = before is not None and column - before[0] <= across
        rise = range(min(row, before[1] + 1), max(row, before[1] - 1) + 1) if near and before else (row,)
        dots.update((column, one) for one in (*rise, row))
        before = (column, row)
    if canvas.plain:
        return ["".join("*" if (x, y) in dots else " " for x in range(wide)) for y in range(tall)]
    return ["".join(_braille(dots, x, y) for x in range(canvas.width)) for y in range(canvas.height)]


def _columns(points: Sequence[Observation], times: tuple[float, float], wide: int) -> list[float | None]:
    """The mean of each column, None without a point."""
    sums: list[list[float]] = [[] for _ in range(wide)]
    span = max(times[1] - times[0], 1.0)
    for point in points:
        sums[min(wide - 1, int((point.at - times[0]) / span * (wide - 1) + 0.5))].append(point.value)
    return [sum(found) / len(found) if found else None for found in sums]


def _braille(dots: set[tuple[int, int]], x: int, y: int) -> str:
    bits = sum(bit for i, column in enumerate(DOTS) for j, bit in enumerate(column) if (2 * x + i, 4 * y + j) in dots)
    return chr(BRAILLE + bits) if bits else " "


def _marked(marks: Sequence[float], since: float, until: float, width: int) -> str:
    places = {min(width - 1, int((mark - since) / max(until - since, 1.0) * (width - 1) + 0.5)) for mark in marks}
    return "".join("^" if place in places else " " for place in range(width))


def _times(since: float, until: float, width: int) -> str:
    """The first, the middle and the last moment, as far as there is room; with the day where there are several."""
    form = "%H:%M" if until - since < DAY and _day(since) == _day(until) else "%m-%d %H:%M"
    first, middle, last = (
        f"{dt.datetime.fromtimestamp(at, dt.UTC):{form}}" for at in (since, (since + until) / 2, until)
    )
    room = width - len(first) - len(last)
    if room < len(middle) + 4:
        return f"{first}{last:>{max(width - len(first), len(last) + 1)}}"
    return f"{first}{middle:^{room}}{last}"


def _day(at: float) -> dt.date:
    return dt.datetime.fromtimestamp(at, dt.UTC).date()
