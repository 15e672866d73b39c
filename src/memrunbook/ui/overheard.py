"""What is said to people, heard once more: whole lines without colour, whoever says them and however they are drawn."""

from __future__ import annotations

from collections.abc import Callable

Hearer = Callable[[str], object]
_HEARERS: list[Hearer] = []
"""Of the whole process, as its streams are."""


def listen(hearer: Hearer) -> None:
    """From now on it hears every line."""
    _HEARERS.append(hearer)


def leave(hearer: Hearer) -> None:
    """From now on it hears none."""
    if hearer in _HEARERS:
        _HEARERS.remove(hearer)


def is_heard() -> bool:
    """True where somebody listens."""
    return bool(_HEARERS)


def hear(words: str) -> None:
    """Hands on what was said, line by line."""
    for line in words.rstrip("\n").split("\n") if _HEARERS else ():
        for hearer in _HEARERS:
            hearer(line)
