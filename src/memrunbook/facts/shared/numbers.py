"""Reads numbers out of kernel text, whatever its bytes; one that no 64-bit kernel can mean counts as missing."""

from __future__ import annotations

import re

MOST = (1 << 63) - 1
KIB = 1024
_KEYED = re.compile(r"^([^\s:]+):?[ \t]+(\d{1,19})([ \t]+kB)?[ \t]*$", re.MULTILINE | re.ASCII)


def whole(text: str) -> int | None:
    """The text as a number of 0 or more, None where it is anything else."""
    word = text.strip()
    return fits(int(word)) if re.fullmatch(r"\d{1,19}", word, re.ASCII) else None


def fits(value: int) -> int | None:
    """The value, None where it does not fit a signed 64-bit number."""
    return value if value <= MOST else None


def keyed(text: str) -> dict[str, int]:
    """Lines like `pgfault 12` and `MemFree:  12 kB` by their first word; kB (KiB) become bytes."""
    found: dict[str, int] = {}
    for key, digits, kilo in _KEYED.findall(text):
        value = fits(int(digits) * (KIB if kilo else 1))
        if value is not None:
            found[key] = value
    return found


def share(part: int | None, total: int | None) -> float | None:
    """The part as a percentage of the total, None where there is nothing to compare."""
    return 100.0 * part / total if part is not None and total else None
