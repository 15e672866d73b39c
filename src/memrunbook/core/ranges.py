"""Ranges in host names, as in web[01:20] or rack[a:c]-[1:9:2]: Ansible's rules."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

RANGE = re.compile(r"\[(?:(\d*):(\d+)|([a-zA-Z]):([a-zA-Z]))(?::(\d+))?\]")
WIDEST = 50_000


def names_in(word: str) -> Iterator[str]:
    """Each name that a word stands for, in order; the word itself where it holds no range.

    A number with a leading zero keeps its width. ValueError for a range that is empty, too large, or lopsided.
    """
    match = RANGE.search(word)
    if match is None:
        yield word
        return
    before, after = word[: match.start()], word[match.end() :]
    for part in _parts(match):
        yield from names_in(f"{before}{part}{after}")


def _parts(match: re.Match[str]) -> list[str]:
    shown, step = match[0], int(match[5] or 1)
    if not step:
        raise ValueError(f"the range {shown} has a step of 0")
    if match[3]:
        letters = string.ascii_letters
        first, last = letters.index(match[3]), letters.index(match[4])
        parts = list(letters[first : last + 1 : step])
    else:
        begin, end = match[1] or "0", match[2]
        width = len(begin) if begin.startswith("0") and len(begin) > 1 else 0
        if width and len(end) != width:
            raise ValueError(f"the range {shown} begins with {len(begin)} digits and ends with {len(end)}")
        if int(end) - int(begin) >= WIDEST:
            raise ValueError(f"the range {shown} is empty or too large")
        parts = [f"{number:0{width}}" for number in range(int(begin), int(end) + 1, step)]
    if not parts:
        raise ValueError(f"the range {shown} is empty or too large")
    return parts
