"""The colours can be told apart and read, in light and dark; the policy lets this style and nothing else in."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re

import pytest

from memrunbook.ui.block import Style
from memrunbook.ui.html.style import PALETTE, SHARES, WORDS, policy, stylesheet

TEXT, SHAPE = 4.5, 3.0
"""WCAG 2.2: 1.4.3 (AA) for text, 1.4.11 for what must be seen of pictures."""
GROUNDS = ("page", "panel")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", PALETTE)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("use", ["text", *WORDS])
def test_every_word_can_be_read_on_every_ground(mode: str, ground: str, use: str) -> None:
    assert contrast(PALETTE[mode][use], PALETTE[mode][ground]) >= TEXT


@pytest.mark.parametrize("mode", PALETTE)
def test_a_number_on_a_part_can_be_read_and_the_part_be_seen(mode: str) -> None:
    colours = PALETTE[mode]
    for number in range(1, SHARES + 1):
        assert contrast(colours[f"share{number}"], colours["page"]) >= TEXT
    for line in ("curve", "edge"):
        assert contrast(colours[line], colours["page"]) >= SHAPE
    for over in ("curve", "edge", "text"):
        assert contrast(colours[over], colours["band"]) >= SHAPE
    assert contrast(colours["text"], colours["panel"]) >= TEXT


def test_every_colour_is_there_in_both_and_every_style_has_one() -> None:
    light, dark = PALETTE.values()
    assert light.keys() == dark.keys()
    named = {str(one) for one in Style.__args__} - {"", "strong"}  # type: ignore[attr-defined]
    assert named == set(WORDS)
    used = set(re.findall(r"var\(--([\w-]+)\)", stylesheet()))
    assert used == light.keys()


def test_no_two_neighbours_have_one_colour() -> None:
    for colours in PALETTE.values():
        shares = [colours[f"share{number}"] for number in range(1, SHARES + 1)]
        assert all(one != other for one, other in itertools.combinations(shares, 2))


def test_the_policy_is_for_this_very_style_and_nothing_is_loaded() -> None:
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy(style)
    assert "default-src 'none'" in policy(style)
    assert "unsafe" not in policy(style)
    assert not re.search(r"url\(|@import|@font-face|expression", style)


def test_paper_is_light_whatever_the_screen_is() -> None:
    style = stylesheet()
    assert "@media screen and (prefers-color-scheme:dark)" in style
    assert "break-before:page" in style.partition("@media print")[2]
    assert "thead{display:table-header-group}" in style
