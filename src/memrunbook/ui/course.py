"""The signals of a run over its time: charts with its steps in them, and the same numbers in a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from memrunbook.core.reading.series import Observation
from memrunbook.core.run.course import Course, CourseReading
from memrunbook.core.run.report import HostReport
from memrunbook.core.units import format_value
from memrunbook.ui.block import Block, Span, Table, line, title
from memrunbook.ui.picture import Chart, Drawn, StepMark
from memrunbook.ui.words import metric_words, plural, unit_of

MOST_CHARTS, MOST_ROWS, MOST_POINTS = 12, 120, 400
NO_READING = "The journal holds no reading of the signals that this version can read: nothing can be drawn."
ONLY_TOLD = "Only what the run noted of {names} is known, before and after it and its steps: no reading in between."
NOTHING_MOVED = "There is nothing to draw: no signal is known to have moved."
MORE = "{count} more moved: their numbers stand in the table."
HOW = "Each dot is a reading, the line between two of them is a guess. A band is a step at work, by its number above."


def course_parts(report: HostReport, course: Course) -> list[Block | Drawn]:
    """The charts of what moved, what stood still, and the table of all readings; says so where little is known."""
    names = sorted({*report.before, *report.after} | {name for one in course.readings for name in one.values})
    points = {name: found for name in names if (found := _points(name, course))}
    if not points:
        return [title("Signals over time"), line(NO_READING)] if names else []
    all_moved = [name for name in points if _moved(name, points[name])]
    moved = all_moved[:MOST_CHARTS]
    marks = _marks(report, course)
    parts: list[Block | Drawn] = [title("Signals over time", ", UTC"), line(HOW if moved else NOTHING_MOVED)]
    parts += [_chart(name, points[name], marks) for name in moved]
    parts += _still({name: found for name, found in points.items() if name not in all_moved})
    parts += [line(MORE.format(count=len(all_moved) - len(moved)))] if len(all_moved) > len(moved) else []
    told = [named(name) for name in points if not _read(name, course.readings)]
    parts += [line(ONLY_TOLD.format(names=", ".join(told)))] if told else []
    return [*parts, *_readings(course, list(points))]


def _moved(name: str, points: Sequence[Observation]) -> bool:
    """True where it can be told in words: less would look like much in a chart."""
    return len({format_value(point.value, unit_of(name)) for point in points}) > 1


def _read(name: str, readings: Sequence[CourseReading]) -> list[Observation]:
    return [Observation(one.at, one.values[name]) for one in readings if name in one.values]


def _points(name: str, course: Course) -> tuple[Observation, ...]:
    """The readings of a metric in the order of time; without one what the run itself noted."""
    found = _read(name, course.readings) or _read(name, course.told)
    return tuple(thinned(sorted(found, key=lambda point: point.at)))


def thinned(points: Sequence[Observation]) -> Sequence[Observation]:
    """Of very many points the least and the most of each stretch: a line through them looks the same."""
    size = -(-2 * len(points) // MOST_POINTS)
    if size <= 2:  # noqa: PLR2004  the least and the most are all there are
        return points
    stretches = [points[start : start + size] for start in range(0, len(points), size)]
    kept = {pick(one, key=lambda point: point.value) for one in stretches for pick in (min, max)}
    return [point for point in points if point in kept or point in (points[0], points[-1])]


def _marks(report: HostReport, course: Course) -> tuple[StepMark, ...]:
    """The steps that were at work, by their number in the report."""
    labels = {(f"{step.id}/{step.item}" if step.item else step.id): n for n, step in enumerate(report.steps, 1)}
    return tuple(StepMark(labels[one.label], one.begun, one.ended) for one in course.steps if one.label in labels)


def _chart(name: str, points: tuple[Observation, ...], marks: tuple[StepMark, ...]) -> Chart:
    unit, first, last = unit_of(name), points[0], points[-1]
    least, most = (pick(points, key=lambda point: point.value) for pick in (min, max))
    said = [
        f"{plural(len(points), 'reading')} from {clock(first.at)} to {clock(last.at)} UTC",
        f"the first {format_value(first.value, unit)}, the last {format_value(last.value, unit)}",
        f"the least {format_value(least.value, unit)} at {clock(least.at)}",
        f"the most {format_value(most.value, unit)} at {clock(most.at)}",
        *(_step_words(mark) for mark in marks),
    ]
    return Chart(named(name), f"{'; '.join(said)}.", unit, points, marks)


def _step_words(mark: StepMark) -> str:
    end = f"to {clock(mark.ended)}" if mark.ended is not None else "and nobody saw its end"
    return f"step {mark.number} at work from {clock(mark.begun)} {end}"


def named(name: str) -> str:
    """A metric with its unit: a picture of it has no value beside it."""
    return ", ".join(filter(None, [metric_words(name), unit_of(name).value]))


def _still(points: Mapping[str, tuple[Observation, ...]]) -> list[Block]:
    """What stood still is told, not drawn; so is what was read once, of which nobody knows whether it moved."""
    several = {name: found for name, found in points.items() if len(found) > 1}
    once = {name: found for name, found in points.items() if len(found) == 1}
    still: list[Block] = [line(Span("Did not move", "strong"), f": {_values(several)}")] if several else []
    return [*still, *([line(Span("Read once", "strong"), f": {_values(once)}")] if once else [])]


def _values(points: Mapping[str, tuple[Observation, ...]]) -> str:
    told = [f"{metric_words(name)} {format_value(found[0].value, unit_of(name))}" for name, found in points.items()]
    return ", ".join(told)


def _readings(course: Course, names: Sequence[str]) -> list[Block]:
    """The numbers themselves; of very many readings every so many, which is said."""
    rows = [one for one in (course.readings or course.told) if any(name in one.values for name in names)]
    if not rows:
        return []
    every = -(-len(rows) // MOST_ROWS)
    kept = rows[::every]
    told = f": every {every}th of {len(rows):,}" if every > 1 else f": {len(rows):,}"
    cells = [(clock(one.at), one.why, *(_cell(one, name) for name in names)) for one in kept]
    columns = ("time", "read for", *(named(name) for name in names))
    day = f"{dt.datetime.fromtimestamp(rows[0].at, dt.UTC):%Y-%m-%d}"
    return [title("Readings", f"{told}, from {day} on, UTC"), Table(columns, tuple(cells))]


def _cell(one: CourseReading, name: str) -> str:
    return format_value(one.values[name], unit_of(name)) if name in one.values else "not read"


def clock(at: float) -> str:
    """The time of the day of a moment, UTC."""
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%H:%M:%S}"
