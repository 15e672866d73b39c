"""Pictures as SVG, each with its words for whoever cannot see it, and the numbers of shares beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from memrunbook.core.units import DAY, HOUR, format_bytes
from memrunbook.ui.html.blocks import wide
from memrunbook.ui.html.element import Element, element
from memrunbook.ui.html.style import SHARES
from memrunbook.ui.picture import Chart, Drawn, Slice, Stack, StepMark
from memrunbook.ui.plot import axis_labels, bounds

WIDE, HIGH = 420, 200
LEFT, RIGHT, TOP, BOTTOM = 74, 12, 26, 24
BAR, GAP = 34, 2.0
LEGIBLE = 16.0
"""A part as wide as this has room for its number."""
NARROWEST_BAND = 2.0
SMALLEST_DOT, LARGEST_DOT = 0.7, 2.5
"""A dot is no wider than a third of the way to the next: hundreds of them would hide the curve."""
SHORT = 10.0
"""Seconds: the axis of less has tenths."""


def figure(picture: Drawn, number: int) -> Element:
    """The picture with its title; `number` tells it from the others of the page."""
    beside: list[Element] = []
    if isinstance(picture, Chart):
        parts, size = list(_chart(picture)), (WIDE, HIGH)
    elif isinstance(picture, Stack):
        parts, size = list(_stack(picture)), (WIDE, BAR)
        beside = [_shares(picture.parts, picture.whole)]
    else:
        parts, size = list(_bars(picture.parts)), (WIDE, (BAR + 4) * len(picture.parts))
        beside = [_shares(picture.parts, 0)]
    names = (f"p{number}t", f"p{number}d")
    drawn = element(
        "svg", "", element("title", "", picture.title, id=names[0]), element("desc", "", picture.said, id=names[1]),
        *parts, viewBox=f"0 0 {size[0]} {size[1]}", role="img", aria_labelledby=" ".join(names),
    )  # fmt: skip
    kind = "chart" if isinstance(picture, Chart) else "shares"
    return element("figure", kind, element("figcaption", "", picture.title), drawn, *beside)


def _chart(chart: Chart) -> Iterator[Element]:
    since, until = _times(chart)
    low, high = bounds([point.value for point in chart.points], chart.unit)

    def across(at: float) -> float:
        return LEFT + (at - since) / (until - since) * (WIDE - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HIGH - TOP - BOTTOM)

    yield from (_mark(mark, across, until) for mark in chart.marks)
    values = (high, (high + low) / 2, low)
    for value, label in zip(values, axis_labels(values, chart.unit), strict=True):
        yield element("line", "rule", x1=LEFT, x2=WIDE - RIGHT, y1=down(value), y2=down(value))
        yield element("text", "end", label, x=LEFT - 6, y=down(value) + 4)
    yield from _clock(since, until)
    places = [(across(point.at), down(point.value)) for point in chart.points]
    yield element("path", "curve", d=" ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(places)))
    radius = max(SMALLEST_DOT, min(LARGEST_DOT, (WIDE - LEFT - RIGHT) / len(places) / 3))
    for x, y in places:
        yield element("circle", "dot", cx=x, cy=y, r=radius)


def _times(chart: Chart) -> tuple[float, float]:
    """From the first to the last reading, and the steps between them."""
    moments = [point.at for point in chart.points] + [mark.begun for mark in chart.marks]
    moments += [mark.ended for mark in chart.marks if mark.ended is not None]
    since, until = min(moments), max(moments)
    return since, max(until, since + 1.0)


def _mark(mark: StepMark, across: Callable[[float], float], until: float) -> Element:
    """A step: the band in which it was at work, its number above."""
    begin = across(mark.begun)
    end = across(until if mark.ended is None else mark.ended)
    width = max(end - begin, NARROWEST_BAND)
    band = element("rect", "band", x=begin, y=TOP, width=width, height=HIGH - TOP - BOTTOM)
    edge = element("line", "edge", x1=begin, x2=begin, y1=TOP - 4, y2=HIGH - BOTTOM)
    return element("g", "", band, edge, element("text", "mark", str(mark.number), x=begin + width / 2, y=TOP - 8))


def _clock(since: float, until: float) -> Iterator[Element]:
    """The time axis: its begin, its middle and its end."""
    long = until - since
    form = "%H:%M:%S" if long < HOUR else "%H:%M" if long < DAY else "%m-%d %H:%M"
    for share, style in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = dt.datetime.fromtimestamp(since + share * long, dt.UTC)
        said = f"{at:{form}}.{at.microsecond // 100_000}" if long < SHORT else f"{at:{form}}"
        yield element("text", style, said, x=LEFT + share * (WIDE - LEFT - RIGHT), y=HIGH - 6)


def _stack(picture: Stack) -> Iterator[Element]:
    """The parts one behind the other, a gap between them; each with its number where there is room."""
    whole = max(picture.whole, sum(part.size for part in picture.parts), 1)
    begin = 0.0
    for number, part in enumerate(picture.parts, 1):
        width = part.size / whole * WIDE
        drawn = max(width - GAP, 0.5)
        yield element("rect", _style(number, part), x=begin, y=2, width=drawn, height=BAR - 4)
        if width >= LEGIBLE:
            style = "on-spare" if part.spare else "on-share"
            yield element("text", style, str(number), x=begin + drawn / 2, y=BAR / 2 + 4)
        begin += width


def _bars(parts: Sequence[Slice]) -> Iterator[Element]:
    largest = max([part.size for part in parts] or [1]) or 1
    for number, part in enumerate(parts, 1):
        top = (number - 1) * (BAR + 4) + 2
        yield element("text", "end", str(number), x=12, y=top + BAR / 2 + 2)
        width = max(part.size / largest * (WIDE - 20), 1.0)
        yield element("rect", _style(number, part), x=20, y=top, width=width, height=BAR - 4)


def _style(number: int, part: Slice) -> str:
    return "spare" if part.spare else f"share{(number - 1) % SHARES + 1}"


def _shares(parts: Sequence[Slice], whole: int) -> Element:
    """The numbers, each with the colour and the number that it has in the picture."""
    columns = ["", "what", "size", *(["share"] if whole else []), *([""] if any(part.detail for part in parts) else [])]
    head = element("tr")
    for name in columns:
        head.append(element("th", "", name or "\N{NO-BREAK SPACE}", scope="col"))
    body = element("tbody")
    for number, part in enumerate(parts, 1):
        cells = [element("td", "key", _key(number, part)), element("th", "", part.name, scope="row")]
        cells.append(element("td", "number", format_bytes(part.size)))
        cells += [element("td", "number", f"{part.size / whole:.1%}".replace("%", " %"))] if whole else []
        cells += [element("td", "detail", part.detail)] if len(columns) > len(cells) else []
        body.append(element("tr", "", *cells))
    return wide(element("table", "data", element("thead", "", head), body))


def _key(number: int, part: Slice) -> Element:
    square = element("rect", _style(number, part), x=1, y=1, width=20, height=18)
    said = element("text", "on-spare" if part.spare else "on-share", str(number), x=11, y=14.5)
    return element("svg", "", square, said, viewBox="0 0 22 20", role="img", aria_label=f"part {number}")
