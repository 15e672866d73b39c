"""The past of a host as charts: its main figures, each with its words for whoever cannot see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from memrunbook.core.reading.baseline import USED, HostPast
from memrunbook.core.reading.series import Series
from memrunbook.core.units import format_value
from memrunbook.ui.course import named, thinned
from memrunbook.ui.history import FIGURES
from memrunbook.ui.picture import Chart
from memrunbook.ui.words import plural, unit_of

FEWEST = 2
"""Points of a chart: one alone is no course."""


def history_charts(past: HostPast) -> Iterator[Chart]:
    """A chart for each main figure that moved or may be asked for."""
    by_figure = {one.figure: one for one in past.series if not one.name and one.kind == "host"}
    for figure in FIGURES:
        series = by_figure.get(figure)
        if series is not None and len(series.points) >= FEWEST and (figure == USED or _moved(series)):
            yield _chart(series)


def _moved(series: Series) -> bool:
    return len({format_value(point.value, unit_of(series.figure)) for point in series.points}) > 1


def _chart(series: Series) -> Chart:
    unit, points = unit_of(series.figure), tuple(thinned(series.points))
    first, last = points[0], points[-1]
    least, most = (pick(points, key=lambda point: point.value) for pick in (min, max))
    said = "; ".join(
        [
            f"{plural(len(series.points), 'point')} from {_clock(first.at)} to {_clock(last.at)} UTC",
            f"the first {format_value(first.value, unit)}, the last {format_value(last.value, unit)}",
            f"the least {format_value(least.value, unit)} at {_clock(least.at)}",
            f"the most {format_value(most.value, unit)} at {_clock(most.at)}",
        ]
    )
    return Chart(FIGURES[series.figure] if series.figure in FIGURES else named(series.figure), f"{said}.", unit, points)


def _clock(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M}"
