"""Makes text that came from a host safe to show and to keep: no escapes, no control or bidi characters, bounded."""

from __future__ import annotations

import unicodedata
from typing import Any

SHOWN = 200
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, limit: int = SHOWN) -> str:
    """Returns the text on one line: unsafe characters escaped, longer than `limit` cut with an ellipsis."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    cut = text[: limit + 1]
    shown = "".join(_visible(character) for character in cut)
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def encodable(value: Any) -> Any:
    """Plain values with lone surrogates in text as escapes: what is no text cannot be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(item) for item in value]
    return value
