"""Bytes, percent, durations: reads "512 MiB" and "5m", writes them for people."""

from __future__ import annotations

import enum
import re

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SIZES = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": 1 << 40}
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Unit(enum.Enum):
    """What a number counts; the metric's name says the same."""

    NONE = ""
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    PERCENT = "%"
    COUNT = "count"
    PER_SECOND = "/s"
    SECONDS = "s"
    RATIO = "ratio"


def parse_size(text: str) -> int:
    """Reads a size with its unit ("512 MiB", "1.5GiB") as bytes; ValueError where there is none."""
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([KMGT]iB|B)\s*", text)
    if not match:
        raise ValueError(f'{text!r} is no size; write a number and B, KiB, MiB, GiB or TiB, as in "512 MiB"')
    return int(float(match[1]) * SIZES[match[2]])


def parse_duration(text: str) -> float:
    """Reads a duration ("90s", "5m", "1h30m") as seconds; ValueError where there is none."""
    parts = re.findall(r"(\d{1,15}(?:\.\d{1,15})?)(ms|[smhd])", text.replace(" ", ""))
    if not parts or "".join(n + u for n, u in parts) != text.replace(" ", ""):
        raise ValueError(f'{text!r} is no duration; write a number and ms, s, m, h or d, as in "5m"')
    return float(sum(float(number) * SECONDS[unit] for number, unit in parts))


def format_bytes(value: float) -> str:
    """Writes bytes with one decimal in the largest unit that keeps the number above one."""
    for name in ("TiB", "GiB", "MiB", "KiB"):
        if abs(value) >= SIZES[name]:
            return f"{value / SIZES[name]:.1f} {name}"
    return f"{value:.0f} B"


def format_duration(seconds: float) -> str:
    """Writes seconds the way people say them: "0.4 s", "90 s", "5 min", "2 h 10 min", "41 d"."""
    if seconds < 10:  # noqa: PLR2004  one decimal is only of interest below ten
        return f"{seconds:.1f} s"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / MINUTE)
    if minutes < 2 * MINUTE:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, MINUTE)
    if hours < 48:  # noqa: PLR2004  two days and more are counted in days
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d"


def format_value(value: object, unit: Unit) -> str:
    """Writes a metric's value with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if unit is Unit.BYTES:
        return format_bytes(value)
    if unit is Unit.BYTES_PER_SECOND:
        slow = 0 < abs(value) < MIB / 20  # "0.0 MiB/s" would hide a leak
        return f"{value * HOUR / MIB:.1f} MiB/h" if slow else f"{value / MIB:.1f} MiB/s"
    if unit is Unit.SECONDS:
        return format_duration(value)
    decimals = 3 if unit is Unit.RATIO else 1
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.{decimals}f}"
    return number + {Unit.PERCENT: " %", Unit.PER_SECOND: "/s"}.get(unit, "")


class Size(int):
    """Bytes; written in documents with a unit ("512 MiB")."""

    __slots__ = ()


class Duration(float):
    """Seconds; written in documents with a unit ("5m")."""

    __slots__ = ()


def decode(kind: type, value: object) -> object:
    """The one decoding hook for msgspec: sizes and durations are text with a unit, never bare numbers."""
    if kind is Size:
        if isinstance(value, str):
            return Size(parse_size(value))
        raise ValueError(f'{value!r} is a size without a unit; write it as in "512 MiB"')
    if kind is Duration:
        if isinstance(value, str):
            return Duration(parse_duration(value))
        raise ValueError(f'{value!r} is a duration without a unit; write it as in "5m"')
    raise NotImplementedError(f"{kind} is not known to documents")


def encode(value: object) -> object:
    """The one encoding hook for msgspec: sizes and durations are plain numbers of bytes and seconds, the rest text."""
    if isinstance(value, Size):
        return int(value)
    return float(value) if isinstance(value, Duration) else str(value)


def written(value: object) -> str:
    """The hook for msgspec that writes sizes and durations as documents do: `decode` reads the same value again."""
    if isinstance(value, Duration):
        return f"{float(value):g}s"
    if isinstance(value, Size):
        return f"{int(value)} B"
    raise TypeError(f"{value!r} has no place in a document")


def schema(kind: type) -> dict[str, object]:
    """The one schema hook for msgspec."""
    if kind is Size:
        return {"type": "string", "pattern": r"^\s*\d{1,15}(\.\d{1,15})?\s*([KMGT]iB|B)\s*$", "examples": ["512 MiB"]}
    if kind is Duration:
        return {
            "type": "string",
            "pattern": r"^\s*(\d{1,15}(\.\d{1,15})?\s*(ms|[smhd])\s*)+$",
            "examples": ["5m", "1h30m"],
        }
    raise NotImplementedError(f"{kind} is not known to documents")
