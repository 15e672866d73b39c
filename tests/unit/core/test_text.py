from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.text import SHOWN, UNSAFE, clean


@pytest.mark.parametrize("text", ["", "postgres: writer", "größe 漢字 🙂", "[/bold]$(reboot)`x`"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202efdp.exe", "\\u202efdp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028break", "line\\u2028break"),
        ("\ud800", "\\ud800"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
    ],
)
def test_what_could_move_the_cursor_or_hide_is_spelled_out(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * SHOWN) == "x" * SHOWN
    assert clean("x" * (SHOWN + 1)) == "x" * (SHOWN - 1) + "…"
    assert clean("x" * 10_000_000, 5) == "xxxx…"


def test_text_that_grows_by_being_spelled_out_is_cut_too() -> None:
    assert clean("\x1b" * 10, 10) == "\\x1b\\x1b\\…"


@given(st.text(), st.integers(1, 300))
def test_any_text_is_safe_on_one_line_and_bounded(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not [character for character in shown if unicodedata.category(character) in UNSAFE]
    shown.encode()
