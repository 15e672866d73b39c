"""What a plain word of YAML means: the JSON-like part of YAML 1.2, so that `yes`, `on`, `1:30` and dates stay text."""

from __future__ import annotations

import re

CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
DIGITS = 18
LARGEST = 1e300
Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of a plain scalar; numbers are decimal, one with a leading zero is text. ValueError: out of range."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        if len(text) > DIGITS:
            raise ValueError("the number is too large")
        return int(text)
    if DECIMAL.fullmatch(text):
        number = float(text)
        if abs(number) > LARGEST:
            raise ValueError("the number is too large")
        return number
    return text
