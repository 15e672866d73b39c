"""The whole page: what is said of all hosts, a part for each of them with a link to it, and what it was made by."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memrunbook.ui.block import Block, Line, Span, text
from memrunbook.ui.html.blocks import block_elements, heading
from memrunbook.ui.html.drawing import figure
from memrunbook.ui.html.element import Element, document, element
from memrunbook.ui.html.style import policy, stylesheet
from memrunbook.ui.picture import Bars, Chart, Drawn, Stack

GENERATOR = "memrunbook"
MARK = f'<meta name="generator" content="{GENERATOR}">'
"""Stands near the beginning of each page, so that a report is told from another file."""
MOST_HOSTS = 200
"""Hosts with a part of their own; of the others the overview says what is known."""
Part = Block | Drawn


class HostPart(NamedTuple):
    """What is said of one host: its name, how it stands in a word, and all of it."""

    name: str
    word: Span
    parts: Sequence[Part]


class Page(NamedTuple):
    """A page; `about` is said of all hosts together, `end` below everything."""

    title: str
    about: Sequence[Part]
    hosts: Sequence[HostPart]
    end: Sequence[Block]


def render(page: Page) -> str:
    """The page as one HTML file."""
    body = element("body", "", page_main(page), page_footer(page), id="top")
    return document(element("html", "", _head(page.title), body, lang="en"))


def page_main(page: Page) -> Element:
    """What stands in the page, without what it was made by."""
    numbers = itertools.count(1)
    shown = page.hosts[:MOST_HOSTS]
    main = element("main", "", element("h1", "", page.title))
    for part in sections(page.about, 2, numbers):
        main.append(part)
    if len(page.hosts) > 1:
        main.append(_contents(page.hosts, len(shown)))
    for number, host in enumerate(shown, 1):
        main.append(_host(host, number, numbers, alone=len(page.hosts) == 1))
    return main


def page_footer(page: Page) -> Element:
    """What it was made by, and when."""
    return element("footer", "", *(one for block in page.end for one in block_elements(block)))


def _head(title: str) -> Element:
    style = stylesheet()
    sheet = element("style")
    sheet.text = style  # ours to the last letter; a browser reads it as it stands
    return element(
        "head", "",
        element("meta", charset="utf-8"),
        element("meta", name="generator", content=GENERATOR),
        element("meta", http_equiv="Content-Security-Policy", content=policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", "", title),
        sheet,
    )  # fmt: skip


def _contents(hosts: Sequence[HostPart], shown: int) -> Element:
    """A link to each host that has a part."""
    names = element("ol")
    for number, host in enumerate(hosts, 1):
        name = (
            element("a", "", host.name, href=f"#host-{number}") if number <= shown else element("span", "", host.name)
        )
        names.append(element("li", "", name, text(": ", host.word)))
    left = len(hosts) - shown
    more = f"The last {left:,} have no part of their own: a page of more than {MOST_HOSTS} hosts nobody reads."
    told = element("p", "", more) if left else None
    return element("nav", "", element("h2", "", "Each host", id="hosts"), names, told, aria_labelledby="hosts")


def _host(host: HostPart, number: int, numbers: Iterator[int], *, alone: bool) -> Element:
    found = element(
        "section", "host alone" if alone else "host", element("h2", "", host.name, id=f"host-{number}"),
        *sections(host.parts, 3, numbers), aria_labelledby=f"host-{number}",
    )  # fmt: skip
    if not alone:
        found.append(element("p", "back", element("a", "", "To the top", href="#top")))
    return found


def sections(parts: Sequence[Part], level: int, numbers: Iterator[int]) -> Iterator[Element]:
    """The parts; a title is a heading, the first line the verdict, charts in a row stand beside one another."""
    charts: Element | None = None
    style = "verdict"
    for part in parts:
        if isinstance(part, Chart):
            if charts is None:
                charts = element("div", "charts")
                yield charts
            charts.append(figure(part, next(numbers)))
            continue
        charts = None
        if isinstance(part, Stack | Bars):
            yield figure(part, next(numbers))
        elif isinstance(part, Line) and part.title:
            yield heading(part, level)
        else:
            yield from block_elements(part, style)
        style = ""
