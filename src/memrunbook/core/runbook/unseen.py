"""Whether what a cut list leaves out may matter to a yes-or-no expression.

It does not where nothing that was left out can change the answer: `p.rss_bytes > 256 * MiB` is false of whatever is
below 2 MiB. That is worked out for an item of which only the bounds of the cut are known.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memrunbook.core.reading.fact import Cut, Unavailable
from memrunbook.core.runbook.rising import way_of
from memrunbook.core.runbook.tree import Term
from memrunbook.core.runbook.world import World

Lookup = Callable[[str], Any]
SPARE: tuple[dict[str, Any], ...] = ({},)
"""Stands at the end of a list for what was left out: whatever is asked of it is unknown."""


class Range(NamedTuple):
    """A number of which only this is known: it is from `low` to `high`."""

    low: float
    high: float


class Among(NamedTuple):
    """A whole number of which only this is known: it is one of these."""

    values: tuple[int, ...]


Said = bool | str | Range | Among
"""What may be certain of a part of an expression."""


class Unseen(NamedTuple):
    """The cut lists that matter: `asked` are looked into by macros alone, `whole` are used in other ways too.

    `decided` is the answer where it is certain however much was left out; `settled` the one that is certain as soon as
    what was seen gives it.
    """

    asked: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    why: Mapping[str, Cut] = {}
    decided: bool | None = None
    settled: bool | None = None

    @property
    def matters(self) -> bool:
        """True where there is any."""
        return bool(self.why)

    def part(self, name: str, value: Any) -> Any:
        """A value as the expression may see it: a list with what was left out, or not at all."""
        if name in self.whole:
            return Unavailable("failed", self.why[name].why)
        return [*value, *SPARE] if name in self.asked and isinstance(value, list) else value


NOTHING = Unseen()
NO_ITEM = Cut("")


@dataclass(frozen=True)
class Sight:
    """What a yes-or-no expression sees of its `lists`; `names` are those of the world by the names in its tree."""

    tree: Term
    lists: tuple[str, ...]
    names: Mapping[str, str]

    def unseen(self, world: World) -> Unseen:
        """The cut lists of which something that was left out may change the answer."""
        cuts = {name: cut for name in self.lists if (cut := world.cut(name)) is not None}
        if not cuts:
            return NOTHING

        def lookup(word: str) -> Any:
            return world.lookup(self.names[word]) if word in self.names else None

        uses = _Uses(cuts, lookup)
        uses.walk(self.tree)
        why = {name: cuts[name] for name in sorted(uses.asked | uses.whole)}
        decided = certain(self.tree, lookup) if uses.whole else None
        settled = {"up": True, "down": False}.get(way_of(self.tree, why)) if why else None
        return Unseen(frozenset(uses.asked - uses.whole), frozenset(uses.whole), why, decided, settled)


def certain(node: Term, lookup: Lookup) -> bool | None:
    """What is certain of a yes-or-no part by the values of its names; None where a part of it is no plain value."""
    said = _Judge("", NO_ITEM, lookup).of(node)
    return said if isinstance(said, bool) else None


@dataclass
class _Uses:
    """Walks an expression and notes how it uses the cut lists."""

    cuts: Mapping[str, Cut]
    lookup: Lookup
    asked: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)

    def walk(self, node: Term) -> None:
        """Notes the uses in a part."""
        first = node.parts[0] if node.parts else None
        listed = first.word if first is not None and first.kind == "name" and first.word in self.cuts else ""
        if listed and node.kind == "each":
            if not _decided(node, self.cuts[listed], self.lookup):
                self.asked.add(listed)
        elif listed and node.word == "_[_]":  # the largest come first: what has a place was seen
            pass
        elif node.kind == "name" and node.word in self.cuts:
            self.whole.add(node.word)
            return
        else:
            listed = ""
        for part in node.parts[1:] if listed else node.parts:
            self.walk(part)


def _decided(macro: Term, cut: Cut, lookup: Lookup) -> bool:
    """True where no item that was left out changes what a macro makes of its list."""
    first, step = macro.parts[1], macro.parts[3]
    judge = _Judge(macro.word, cut, lookup)
    if first.kind == "const" and isinstance(first.value, bool):  # exists: false || ...; all: true && ...
        return judge.of(step.parts[1]) is first.value
    return step.word == "_?_:_" and judge.of(step.parts[0]) is False  # exists_one, filter, map with a condition


class _Judge(NamedTuple):
    """What is certain of an expression for an item (`variable`) of which only the bounds are known.

    True or false, a text, a span of numbers, some numbers, or None: that is not known.
    """

    variable: str
    cut: Cut
    lookup: Lookup

    def of(self, node: Term) -> Said | None:
        """What is certain of a part."""
        if node.kind == "const":
            return _exact(node.value)
        if node.kind == "name":
            return None if node.word == self.variable else _exact(self.lookup(node.word))
        if node.kind == "select":
            return _known(self.cut, _path_of(node, self.variable))
        rule = RULES.get(node.word) if node.kind == "call" else None
        return rule(self, node.parts) if rule else None


def _known(cut: Cut, path: str) -> Range | Among | None:
    if path in cut.below or path in cut.least:
        return Range(cut.least.get(path, 0.0), math.nextafter(cut.below.get(path, math.inf), 0.0))
    return Among(cut.among[path]) if path in cut.among else None


def _exact(value: Any) -> bool | str | Range | None:
    if isinstance(value, bool | str):
        return value
    return Range(value, value) if isinstance(value, int | float) else None


def _path_of(node: Term, variable: str) -> str:
    """The field of the item that a selection names; empty where it is a selection from something else."""
    inner = node.parts[0]
    if inner.kind == "name":
        return node.word if inner.word == variable else ""
    above = _path_of(inner, variable) if inner.kind == "select" else ""
    return f"{above}.{node.word}" if above else ""


def _and(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
    said = [judge.of(part) for part in parts]
    return False if False in said else True if said == [True, True] else None


def _or(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
    said = [judge.of(part) for part in parts]
    return True if True in said else False if said == [False, False] else None


def _not(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
    said = judge.of(parts[0])
    return not said if isinstance(said, bool) else None


def _choice(judge: _Judge, parts: tuple[Term, ...]) -> Said | None:
    asked, yes, no = (judge.of(part) for part in parts)
    if isinstance(asked, bool):
        return yes if asked else no
    return yes if yes == no else None


def _equal(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
    left, right = (judge.of(part) for part in parts)
    if isinstance(left, Range) and isinstance(right, Range):
        if left.high < right.low or right.high < left.low:
            return False
        return True if left == right and left.low == left.high else None
    if isinstance(left, Among) or isinstance(right, Among):
        return _one_of(left, right)
    return None if left is None or right is None else left == right


def _one_of(left: Said | None, right: Said | None) -> bool | None:
    """False where one of some numbers is certainly none of those that the other may be."""
    some, other = (left, right) if isinstance(left, Among) else (right, left)
    if not isinstance(some, Among) or not isinstance(other, Range):
        return None
    return None if any(other.low <= value <= other.high for value in some.values) else False


def _unequal(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
    said = _equal(judge, parts)
    return None if said is None else not said


def _compared(compare: Callable[[float, float], bool]) -> Callable[[_Judge, tuple[Term, ...]], bool | None]:
    def rule(judge: _Judge, parts: tuple[Term, ...]) -> bool | None:
        left, right = (judge.of(part) for part in parts)
        if not isinstance(left, Range) or not isinstance(right, Range):
            return None
        ends = {compare(left.low, right.high), compare(left.high, right.low)}
        return ends.pop() if len(ends) == 1 else None

    return rule


def _computed(compute: Callable[[float, float], float]) -> Callable[[_Judge, tuple[Term, ...]], Range | None]:
    def rule(judge: _Judge, parts: tuple[Term, ...]) -> Range | None:
        left, right = (judge.of(part) for part in parts)
        if not isinstance(left, Range) or not isinstance(right, Range):
            return None
        corners = [compute(one, other) for one in left for other in right]
        return None if any(math.isnan(corner) for corner in corners) else Range(min(corners), max(corners))

    return rule


def _size(judge: _Judge, parts: tuple[Term, ...]) -> Range | None:
    """A list holds at least what was seen of it."""
    found = judge.lookup(parts[0].word) if parts[0].kind == "name" else None
    return Range(len(found), math.inf) if isinstance(found, list) else None


def _same(judge: _Judge, parts: tuple[Term, ...]) -> Said | None:
    return judge.of(parts[0]) if len(parts) == 1 else None


RULES: Mapping[str, Callable[[_Judge, tuple[Term, ...]], Said | None]] = {
    "_&&_": _and,
    "_||_": _or,
    "!_": _not,
    "_?_:_": _choice,
    "_==_": _equal,
    "_!=_": _unequal,
    "_<_": _compared(operator.lt),
    "_<=_": _compared(operator.le),
    "_>_": _compared(operator.gt),
    "_>=_": _compared(operator.ge),
    "_+_": _computed(operator.add),
    "_-_": _computed(operator.sub),
    "_*_": _computed(operator.mul),
    "double": _same,
    "size": _size,
}
