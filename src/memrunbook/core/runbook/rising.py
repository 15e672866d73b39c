"""What was seen of a cut list decides where more of it could not change the answer.

`size(list.filter(p, p.failed)) > 0` holds once one was seen, however many were not: more items only raise the size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal

from memrunbook.core.runbook.tree import Term

Way = Literal["up", "down", "same", "either"]
"""Where a value can go when a list gets more items; of yes and no, yes is up."""
OTHER: dict[Way, Way] = {"up": "down", "down": "up", "same": "same", "either": "either"}
Parts = tuple[Term, ...]


def way_of(node: Term, lists: Collection[str]) -> Way:
    """Where an expression can go when these lists get more items."""
    if not any(part.kind == "name" and part.word in lists for part in node.walk()):
        return "same"
    if node.kind == "each":
        return _of_macro(node, lists)
    rule = RULES.get(node.word) if node.kind == "call" else None
    return rule(node.parts, lists) if rule else "either"


def _both(parts: Parts, lists: Collection[str]) -> Way:
    return _together([way_of(part, lists) for part in parts])


def _not(parts: Parts, lists: Collection[str]) -> Way:
    return OTHER[way_of(parts[0], lists)]


def _more(parts: Parts, lists: Collection[str]) -> Way:
    left, right = (way_of(part, lists) for part in parts)
    return _together([left, OTHER[right]])


def _less(parts: Parts, lists: Collection[str]) -> Way:
    return OTHER[_more(parts, lists)]


def _some(parts: Parts, lists: Collection[str]) -> Way:
    """A size is never below 0, so being 0 or not goes one way too."""
    size, zero = parts
    counted = size.kind == "call" and size.word == "size"
    return way_of(size, lists) if counted and zero.kind == "const" and zero.value == 0 else "either"


def _none(parts: Parts, lists: Collection[str]) -> Way:
    return OTHER[_some(parts, lists)]


def _size(parts: Parts, lists: Collection[str]) -> Way:
    return "up" if _grows(parts[0], lists) else "either"


def _grows(node: Term, lists: Collection[str]) -> bool:
    """True for a list, or what `filter` and `map` make of one: what is in it stays in it."""
    if node.kind == "name":
        return True
    if node.kind != "each" or node.parts[1].kind != "list":
        return False
    return _grows(node.parts[0], lists) and way_of(node.parts[3], lists) == "same"


def _of_macro(node: Term, lists: Collection[str]) -> Way:
    """`exists` can only come true, `all` only come false."""
    first, step = node.parts[1], node.parts[3]
    if first.kind != "const" or not isinstance(first.value, bool) or not _grows(node.parts[0], lists):
        return "either"
    if way_of(step, lists) != "same":
        return "either"
    return "down" if first.value else "up"


def _together(ways: Collection[Way]) -> Way:
    """The way of all of them; either, where they differ."""
    moving = {way for way in ways if way != "same"}
    return moving.pop() if len(moving) == 1 else "either" if moving else "same"


RULES: Mapping[str, Callable[[Parts, Collection[str]], Way]] = {
    "_&&_": _both,
    "_||_": _both,
    "!_": _not,
    "_>_": _more,
    "_>=_": _more,
    "_<_": _less,
    "_<=_": _less,
    "_!=_": _some,
    "_==_": _none,
    "size": _size,
}
