"""A page as a browser reads it: by a strict parser, with nothing in it but what pages of ours are made of."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import html5lib

OURS = """html head meta title style body main section nav footer h1 h2 h3 p div span code a ol ul li dl dt dd
table thead tbody tr th td figure figcaption svg desc g rect line path circle text"""
GIVEN = """lang charset name content http-equiv class id href scope tabindex role aria-label aria-labelledby
viewBox x y x1 x2 y1 y2 cx cy r d width height"""
ELEMENTS, ATTRIBUTES = frozenset(OURS.split()), frozenset(GIVEN.split())
AROUND = frozenset(
    ["header", "strong", "form", "input", "button", "link", "script", "noscript", "details", "summary", "label", "pre"]
)
GIVEN_AROUND = frozenset(
    [
        "rel",
        "type",
        "name",
        "value",
        "method",
        "action",
        "defer",
        "src",
        "aria-current",
        "aria-live",
        "data-live",
        "data-passkey",
        "data-ceremony",
        "data-challenge",
        "data-party",
        "data-known",
        "data-user",
        "data-person",
        "for",
        "required",
        "maxlength",
        "autocomplete",
        "autocapitalize",
        "spellcheck",
    ]
)
"""What a page of the server has beside that."""


def parsed(page: str, elements: frozenset[str] = ELEMENTS, attributes: frozenset[str] = ATTRIBUTES) -> ET.Element:
    """The page's root; an error of the parser, an unknown element or attribute fails."""
    root: ET.Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    for one in root.iter():
        assert isinstance(one.tag, str), "a comment"
        assert bare(one) in elements, one.tag
        assert {str(name) for name in one.attrib} <= attributes, one.attrib
    return root


def served(page: str) -> ET.Element:
    """The same of a page of the server."""
    return parsed(page, ELEMENTS | AROUND, ATTRIBUTES | GIVEN_AROUND)


def bare(one: ET.Element) -> str:
    """The name of an element without its namespace."""
    return str(one.tag).rpartition("}")[2]


def each(root: ET.Element, name: str, style: str = "") -> Iterator[ET.Element]:
    """Every element of a name, and of a class where one is named."""
    found = (one for one in root.iter() if bare(one) == name)
    return (one for one in found if not style or style in one.get("class", "").split())


def words(one: ET.Element) -> str:
    """All the text in an element."""
    return "".join(one.itertext())


def shape(root: ET.Element) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """The elements and their attributes, without any text; the digest of the style apart."""
    return [(bare(one), tuple(sorted(one.attrib.items()))) for one in root.iter()]
