"""A whole page around what is drawn of blocks: its head, the way to the other pages, links where names stand."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memrunbook.ui.block import Block, Span
from memrunbook.ui.html.element import Element, document, element
from memrunbook.ui.html.page import Part, sections
from memrunbook.ui.layout import plain
from memrunbook.web.sessions import SignedIn

PLACES = (
    ("/", "Overview"),
    ("/hosts", "Hosts"),
    ("/runs", "Runs"),
    ("/pending", "Waiting plans"),
    ("/schedules", "Schedules"),
    ("/journal", "Journal"),
)
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
LINKED = frozenset({"span", "th", "td", "dt", "dd"})
RENEWED_EVERY = 10
"""Seconds after which a browser without scripts loads a run under way anew."""


@dataclass(frozen=True)
class DrawnPage:
    """A page; `live` while what it shows is under way."""

    title: str
    main: Element
    live: bool = False


def host_key(host: str) -> str:
    """A host's name in an address: as it stands where that is plain, else a digest of it."""
    if PLAIN.fullmatch(host):
        return host
    return f"_{hashlib.sha256(host.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def host_place(host: str) -> str:
    """The page of a host."""
    return f"/hosts/{host_key(host)}"


def run_place(run: str) -> str:
    """The page of a run."""
    return f"/runs/{run}"


def plan_place(digest: str) -> str:
    """The page of a plan that waits."""
    return f"/pending/{digest}"


def drawn(parts: Iterable[Part], level: int = 2) -> list[Element]:
    """Blocks and pictures as elements."""
    return list(sections(list(parts), level, itertools.count(1)))


def section(title: str, blocks: Iterable[Block], name: str) -> Element:
    """A part of a page with its title; `name` is ours."""
    return element("section", "", element("h2", "", title, id=name), *drawn(blocks, 3), aria_labelledby=name)


def linked(root: Element, places: Mapping[str, str]) -> Element:
    """The same; where a name of a run or a host stands alone, it leads to its page."""
    for one in list(root.iter()):
        place = places.get(one.text or "") if one.tag in LINKED and not len(one) else None
        if place is not None:
            link = element("a", one.get("class", ""), one.text, href=place)
            if one.tag == "span":
                one.attrib.pop("class", None)
            one.text = None
            one.append(link)
    return root


def framed(  # noqa: PLR0913  what differs between pages
    title: str, main: Element, session: SignedIn | None, here: str = "", *, live: bool = False, script: str = ""
) -> str:
    """The whole page; `live`: it changes while somebody looks. `script` is the name of one more script of ours."""
    main.set("id", "content")
    main.set("tabindex", "-1")
    if live:
        main.set("data-live", "yes")
    skip = element("a", "skip", "To the content", href="#content")
    body = element("body", "", skip, _bar(session, here), main, id="top")
    return document(element("html", "", _head(title, script, live=live), body, lang="en"))


def _head(title: str, script: str, *, live: bool) -> Element:
    head = element(
        "head", "",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "", f"{title} - runbook"),
        element("link", rel="stylesheet", href="/static/style.css"),
        element("link", rel="icon", href="data:,"),
    )  # fmt: skip
    if live:
        head.append(element("noscript", "", element("meta", http_equiv="refresh", content=str(RENEWED_EVERY))))
        head.append(element("script", "", src="/static/live.js", defer="defer"))
    if script:
        head.append(element("script", "", src=f"/static/{script}", defer="defer"))
    return head


def _bar(session: SignedIn | None, here: str) -> Element:
    bar = element("header", "bar", element("strong", "", "runbook"))
    if session is None:
        return bar
    names = element("ul")
    for place, name in PLACES:
        current = {"aria_current": "page"} if place == here else {}
        names.append(element("li", "", element("a", "", name, href=place, **current)))
    bar.append(element("nav", "", names, aria_label="Pages"))
    current = {"aria_current": "page"} if here == "/me" else {}
    who = f"{session.person}, {session.role}" if session.person else session.role
    bar.append(element("a", "who", who, href="/me", **current))
    proof = element("input", type="hidden", name="csrf", value=session.csrf)
    button = element("button", "", "Sign out", type="submit")
    bar.append(element("form", "", proof, button, method="post", action="/sign-out"))
    return bar


def main_of(title: str, *inside: Element | None) -> Element:
    """What stands in a page, under its title."""
    return element("main", "", element("h1", "", title), *inside)


def places(runs: Sequence[str] = (), hosts: Iterable[str] = ()) -> dict[str, str]:
    """Where the pages of these runs and hosts are; a run's id is looked for before a host of that name."""
    shown = {plain((Span(host, whole=True),)): host_place(host) for host in hosts}
    return {**shown, **{run: run_place(run) for run in runs}}
