"""Reads what `systemctl` prints: `show`, one block of `Key=value` a unit, blocks apart by blank lines; `list-units`."""

from __future__ import annotations

import re

NO_LIMIT = (1 << 64) - 1
"""How systemd writes "not set" and "infinity" where it prints numbers."""
MOST = (1 << 63) - 1
LONGEST = 20
"""Digits of the largest number that systemd prints."""
MICROSECONDS = 1_000_000
_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0,
    "w": 604800.0, "month": 2629800.0, "y": 31557600.0,
}  # fmt: skip
_SPAN = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(us|ms|s|min|h|d|w|month|y)")

Properties = dict[str, str]
LIST_FAILED = (
    "systemctl", "list-units", "--no-pager", "--no-legend", "--plain", "--full", "--type=service", "--state=failed"
)  # fmt: skip
DOTS = frozenset("\u25cf*x\u00d7")
"""What older versions put before the name of a unit that failed."""


def blocks(text: str) -> list[Properties]:
    """The properties of each unit; lines that are no property (messages, warnings) are passed over."""
    found = [_block(part) for part in re.split(r"\n[ \t]*\n", text)]
    return [block for block in found if block.get("Id")]


def failed_in(text: str) -> list[str] | None:
    """The services that LIST_FAILED printed; None where it printed anything else, so could not tell."""
    names = []
    for line in text.split("\n"):
        words = [word for word in line.split() if word not in DOTS]
        if words and not words[0].endswith(".service"):
            return None
        names += words[:1]
    return names


def number(value: str) -> int | None:
    """A size or a count; None where it is not set, without limit, or no number."""
    is_number = len(value) <= LONGEST and value.isdecimal() and value.isascii()
    digits = int(value) if is_number else NO_LIMIT
    return digits if digits <= MOST else None


def seconds(value: str) -> float | None:
    """A span of time, which systemctl writes for people (`1min 30s`), in seconds; None where it is endless or none."""
    if value == "0":
        return 0.0
    words = value.split()
    parts = [_SPAN.fullmatch(word) for word in words]
    spans = [float(part[1]) * _SECONDS[part[2]] for part in parts if part]
    return sum(spans) if spans and len(spans) == len(words) else None


def _block(text: str) -> Properties:
    pairs = (line.partition("=") for line in text.split("\n"))
    return {key: value for key, equals, value in pairs if equals and key.isalnum()}
