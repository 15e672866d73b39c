"""Elements of a page. All text goes through one door, which makes it safe; attributes take none at all."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from memrunbook.ui.block import Span, Text
from memrunbook.ui.commands import commands_in
from memrunbook.ui.layout import plain

Element = ET.Element
ARGUMENTS = 2
"""Blanks in what is surely a command: of two words it may be a sentence, "no runbook cures it"."""
BEHIND = re.compile(r"[,;.:)]|$")
"""What stands behind one: where words go on nobody knows whether they belong to it."""
Inside = Element | Text | str | None
ATTRIBUTE = re.compile(r"[\w #.,:;'/?=+-]*", re.ASCII)
"""What may stand in an attribute: words of ours and numbers. Text of a host may not, whatever it is."""


def element(tag: str, style: str = "", *inside: Inside, **attributes: str | float) -> Element:
    """An element with what stands inside of it; `style` is its class. ValueError for text in an attribute.

    An underscore in an attribute's name stands for a hyphen, one at its end for nothing.
    """
    given = {"class": style, **attributes} if style else attributes
    found = Element(tag, {_name(name): _attribute(value) for name, value in given.items()})
    for one in inside:
        add(found, one)
    return found


def add(parent: Element, inside: Inside) -> None:
    """Puts an element or text behind what stands in another."""
    if isinstance(inside, Element):
        parent.append(inside)
    elif isinstance(inside, str):
        _say(parent, plain((Span(inside),)))
    elif inside is not None:
        for span in inside:
            _span(parent, span)


def document(root: Element) -> str:
    """The page as text."""
    return f"<!DOCTYPE html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _attribute(value: str | float) -> str:
    told = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
    if not ATTRIBUTE.fullmatch(told):
        raise ValueError("an attribute holds text")
    return told


def _span(parent: Element, span: Span) -> None:
    """A span: a command to copy is code, whole; so is one inside of a sentence where it surely ends."""
    said = plain((span,))
    if span.typed:
        parent.append(element("code", "command", said))
        return
    inside = element("span", span.style) if span.style else parent
    place = 0
    for begin, end in commands_in(said):
        if said.count(" ", begin, end) < ARGUMENTS or not BEHIND.match(said, end):
            continue
        _say(inside, said[place:begin])
        inside.append(element("code", "", said[begin:end]))
        place = end
    _say(inside, said[place:])
    if inside is not parent:
        parent.append(inside)


def _say(parent: Element, said: str) -> None:
    """Text behind what stands in an element; it is escaped when the page is written."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + said
    else:
        parent.text = (parent.text or "") + said
