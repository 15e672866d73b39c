"""Makes text that came from a host safe to show: no escapes, no control or bidi characters, bounded."""

from __future__ import annotations

import unicodedata

SHOWN = 200
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, limit: int = SHOWN) -> str:
    """Returns the text on one line: unsafe characters escaped, longer than `limit` cut with an ellipsis."""
    cut = text[: limit + 1]
    shown = "".join(_visible(character) for character in cut)
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")
