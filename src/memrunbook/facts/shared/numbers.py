"""Reads numbers out of kernel text, whatever its bytes; one that no 64-bit kernel can mean counts as missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

MOST = (1 << 63) - 1
KIB = 1024
LONGEST = 19
"""Digits of the largest number that a signed 64-bit one can hold."""
KEYED = re.compile(r"^([^\s:]+):?[ \t]+(\d{1,19})([ \t]+kB)?[ \t]*$", re.MULTILINE | re.ASCII)


def whole(text: str) -> int | None:
    """The text as a number of 0 or more, None where it is anything else."""
    word = text.strip()
    return fits(int(word)) if is_whole(word) else None


def wholes(texts: Mapping[str, str]) -> dict[str, int]:
    """The texts that are a number of 0 or more, by the same keys."""
    found = {}
    for key, text in texts.items():
        # What most of them are, without another call: they come by the tens of thousands.
        value = int(text) if len(text) < LONGEST and text.isdecimal() and text.isascii() else whole(text)
        if value is not None:
            found[key] = value
    return found


def is_whole(word: str) -> bool:
    """True for 1 to 19 ASCII digits and nothing else; a regular expression would cost three times as much."""
    return len(word) <= LONGEST and word.isdecimal() and word.isascii()


def fits(value: int) -> int | None:
    """The value, None where it does not fit a signed 64-bit number."""
    return value if value <= MOST else None


@lru_cache(maxsize=16)
def keyed(text: str) -> Mapping[str, int]:
    """What `lines_by_key` reads in a file that several facts read: its newest texts are kept."""
    return MappingProxyType(lines_by_key(text))


def lines_by_key(text: str) -> dict[str, int]:
    """Lines like `pgfault 12` and `MemFree:  12 kB` by their first word; kB (KiB) become bytes."""
    found: dict[str, int] = {}
    for name, digits, kilo in KEYED.findall(text):  # one search of the whole text: half the time of a loop over lines
        value = int(digits) * KIB if kilo else int(digits)
        if value <= MOST:
            found[name] = value
    return found


def share(part: int | None, total: int | None) -> float | None:
    """The part as a percentage of the total, None where there is nothing to compare."""
    return 100.0 * part / total if part is not None and total else None
