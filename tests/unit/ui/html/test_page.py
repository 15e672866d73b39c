"""A page as a whole: valid, one file, links that lead somewhere, and nothing of a host but its text."""

from __future__ import annotations

import re

import pytest
from tests.hostile.test_names import NAMES
from tests.unit.ui.html.parsed import each, parsed, shape, words

from memrunbook.core.reading.series import Observation
from memrunbook.core.units import MIB, Unit
from memrunbook.ui.block import Grid, Span, Table, line, note, row, title, to_type
from memrunbook.ui.html.drawing import LARGEST_DOT, SMALLEST_DOT, WIDE, figure
from memrunbook.ui.html.page import MARK, MOST_HOSTS, HostPart, Page, Part, render
from memrunbook.ui.picture import Bars, Chart, Slice, Stack, StepMark

MARKUP = ["<script>x</script>", "</style><svg onload=x>", "]]>", "<!-- x -->", "&quot;&#60;b", "'\"` onerror=x"]
POINTS = (Observation(1_700_000_000.0, 3.0), Observation(1_700_000_060.0, 61.5))


def hostile(name: str) -> Page:
    """A page in which everything that comes from elsewhere is this name."""
    said = Span(name, "warning")
    parts: list[Part] = [
        title("Steps", name), line(said, to_type(name)), line(name, indent=2),
        Grid((row("1", said, name, body=name), note(name, name))), Grid((row(name, body=name), row(name, body=name))),
        Table((name, "b"), ((name, name),)), Chart(name, name, Unit.BYTES, POINTS, (StepMark(1, 1_700_000_010.0),)),
        Stack(name, name, 10 * MIB, (Slice(name, MIB, name), Slice(name, 9 * MIB, spare=True))),
        Bars(name, name, (Slice(name, MIB, name),)),
    ]  # fmt: skip
    hosts = [HostPart(name, Span(name, "critical"), parts), HostPart(name, Span(name), [])]
    return Page(name, [line(name)], hosts, [line(name)])


@pytest.mark.parametrize("name", [*NAMES, *MARKUP])
def test_no_element_and_no_attribute_arises_from_what_a_host_says(name: str) -> None:
    calm = "x" * len(name) if name.strip() else name  # what is blank makes no paragraph, however it is spelled
    assert shape(parsed(render(hostile(name)))) == shape(parsed(render(hostile(calm))))


def test_one_file_that_loads_nothing_and_runs_nothing() -> None:
    text = render(hostile("web1"))
    root = parsed(text)
    assert text.startswith("<!DOCTYPE html>\n")
    assert MARK in text[:400]
    assert root.get("lang") == "en"
    named = {one.get("name") or one.get("http-equiv"): one.get("content") for one in each(root, "meta")}
    assert named["viewport"] == "width=device-width, initial-scale=1"
    assert str(named["Content-Security-Policy"]).startswith("default-src 'none'; style-src 'sha256-")
    assert {str(one.get("href"))[0] for one in each(root, "a")} == {"#"}
    assert not re.search(r"https?:|<script|javascript:|@import|url\(", text)


def test_every_link_and_every_name_of_a_picture_leads_somewhere() -> None:
    root = parsed(render(hostile("web1")))
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    wanted = {str(one.get("href"))[1:] for one in each(root, "a")}
    wanted |= {name for one in root.iter() for name in one.get("aria-labelledby", "").split()}
    assert wanted <= set(ids)


def test_a_picture_says_what_it_shows_and_shares_have_their_numbers_beside_them() -> None:
    root = parsed(render(hostile("web1")))
    chart, stack, bars = each(root, "figure")
    for one in (chart, stack, bars):
        svg = next(each(one, "svg"))
        assert svg.get("role") == "img"
        assert [child.tag.rpartition("}")[2] for child in svg][:2] == ["title", "desc"]
    assert [words(one) for one in each(stack, "tr")] == [
        "\xa0whatsizeshare\xa0",
        "1web11.0 MiB10.0 %web1",
        "2web19.0 MiB90.0 %",
    ]
    assert len(list(each(chart, "circle"))) == len(POINTS)
    assert [words(one) for one in each(chart, "text", "mark")] == ["1"]


def test_dots_leave_room_for_the_curve_between_them() -> None:
    def radius(count: int) -> float:
        points = tuple(Observation(1_700_000_000.0 + 60 * n, float(n)) for n in range(count))
        dots = list(figure(Chart("used", "used", Unit.BYTES, points), 1).iter("circle"))
        assert len(dots) == count, "each dot is a reading"
        return float(dots[0].get("r") or 0)

    assert radius(2) == LARGEST_DOT
    assert 2 * radius(100) * 100 < WIDE, "side by side they are not as long as the picture is wide"
    assert radius(1000) == SMALLEST_DOT


def test_of_very_many_hosts_the_first_have_a_part_and_all_are_named() -> None:
    hosts = [HostPart(f"h{n}", Span("OK", "good"), [line("fine")]) for n in range(MOST_HOSTS + 5)]
    root = parsed(render(Page("Many", [], hosts, [])))
    assert len(list(each(root, "section"))) == MOST_HOSTS
    [contents] = each(root, "nav")
    assert len(list(each(contents, "li"))) == MOST_HOSTS + 5
    assert "The last 5 have no part of their own" in words(contents)


def test_a_page_of_one_host_has_no_contents() -> None:
    root = parsed(render(Page("One", [], [HostPart("h", Span("OK"), [])], [])))
    assert not list(each(root, "nav"))
    assert not list(each(root, "a"))


def test_headings_go_down_one_by_one() -> None:
    found = [one.tag for one in parsed(render(hostile("web1"))).iter() if re.fullmatch("h[1-6]", str(one.tag))]
    assert found == ["h1", "h2", "h2", "h3", "h2"]
