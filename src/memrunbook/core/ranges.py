"""Ranges in host names, as in web[01:20] or rack[a:c]-[1:9:2]: Ansible's rules, read and written."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

RANGE = re.compile(r"\[(?:(\d*):(\d+)|([a-zA-Z]):([a-zA-Z]))(?::(\d+))?\]")
NUMBER = re.compile(r"[0-9]{1,15}")
DIGITS = re.compile(f"({NUMBER.pattern})")
WIDEST = 50_000
FEWEST = 3
"""Two names are read sooner than a range of two."""


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


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """The key by which people order names: web2 before web10, and each different name apart."""
    parts = DIGITS.split(name)
    return tuple((int(part), part) if place % 2 else (0, part) for place, part in enumerate(parts))


def compact(names: Iterable[str]) -> list[str]:
    """The fewest words that stand for these names, in their natural order: web[01:14], web20.

    What `names_in` makes of them are exactly these names. Numbers of a user or a port, and names that hold brackets,
    are left as they are.
    """
    words = sorted(dict.fromkeys(names), key=natural)
    while len(shorter := _joined(words)) < len(words):
        words = shorter
    return words


def _joined(words: Sequence[str]) -> list[str]:
    """One number of each word made a range, that by which most of them differ."""
    places = {word: list(_numbers(word)) for word in words}
    alike = Counter(place for found in places.values() for place in found)
    found: dict[tuple[str, str], list[str]] = {}
    for word in words:
        best = max(places[word], key=lambda place: alike[place], default=(word, ""))
        found.setdefault(best, []).append(word)
    ranges = [word for (before, after), of in found.items() for word in _ranges(before, after, of)]
    return sorted(ranges, key=lambda word: natural(next(names_in(word))))


def _numbers(word: str) -> Iterator[tuple[str, str]]:
    """What stands before and behind each number of the host's name in `[user@]name[:port]`."""
    begin = word.rfind("@") + 1
    for match in NUMBER.finditer(word, begin):
        before, after = word[: match.start()], word[match.end() :]
        if before.count("[", begin) == before.count("]", begin) and ":" not in RANGE.sub("", before[begin:]):
            yield before, after


def _ranges(before: str, after: str, words: Sequence[str]) -> Iterator[str]:
    numbers = [word[len(before) : len(word) - len(after)] for word in words] if before != words[0] else [""]
    begun: list[str] = []
    for number in numbers:
        if begun and not _follows(begun, number):
            yield from _written(before, begun, after)
            begun = []
        begun.append(number)
    yield from _written(before, begun, after)


def _follows(begun: Sequence[str], number: str) -> bool:
    """True where a range that began like this goes on with this number, written as it is."""
    first = begun[0]
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    fits = len(number) == width if width else not number.startswith("0")
    return fits and int(number) == int(begun[-1]) + 1


def _written(before: str, numbers: Sequence[str], after: str) -> Iterator[str]:
    if len(numbers) >= FEWEST:
        yield f"{before}[{numbers[0]}:{numbers[-1]}]{after}"
    else:
        yield from (f"{before}{number}{after}" for number in numbers)
