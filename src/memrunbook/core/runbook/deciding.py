"""Which metrics decide that a condition holds: two or three figures tell more at night than all that were looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from memrunbook.core.runbook.tree import Term
from memrunbook.core.runbook.unseen import certain

MOST, ENOUGH = 3, 2
TELLING, PLAIN, ABSENT = 0, 1, 2
ORDERS = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
EQUALS = frozenset({"_==_", "_!=_"})
# One figure in several forms: the lowest of the sample, a share and its size, a stall over another time.
FORMS = ("_min", "_bytes_per_second", "_bytes", "_percent", ".percent", ".avg10", ".avg60", ".avg300")
# What a kernel offers decides which question is asked, not the answer.
OFFERS = (".supported", ".page_size_bytes", ".logs_refusals", ".zram_only")
COUNTS = ".counts_"
Lookup = Callable[[str], Any]


class Leaf(NamedTuple):
    """A part that is joined from no others, by the names in it; `weight` is higher where it tells less."""

    names: tuple[str, ...]
    weight: int


def leaves(tree: Term, lookup: Lookup, *, wanted: bool = True, first: bool = True) -> Iterator[Leaf]:
    """The parts that make an expression true, or false, as `wanted`.

    Of alternatives they are those of the `first` that does or of all, of a choice those of the side taken. `lookup`
    gives the value of a name in the tree, or what is neither a yes-or-no, a number, a text nor a list.
    """
    return _Walk(lookup, first).leaves(tree, wanted=wanted)


class _Walk(NamedTuple):
    lookup: Lookup
    first: bool

    def leaves(self, tree: Term, *, wanted: bool) -> Iterator[Leaf]:
        """The parts that make a part true, or false, as `wanted`."""
        word, parts = (tree.word, tree.parts) if tree.kind == "call" else ("", ())
        if word == "!_":
            yield from self.leaves(parts[0], wanted=not wanted)
        elif word == "_?_:_":
            asked = certain(parts[0], self.lookup) is not False
            yield from self.leaves(parts[0], wanted=asked)
            yield from self.leaves(parts[1 if asked else 2], wanted=wanted)
        elif word in ("_&&_", "_||_"):
            every = wanted is (word == "_&&_")
            for part in parts if every else self._alternatives(parts, wanted=wanted):
                yield from self.leaves(part, wanted=wanted)
        else:
            own = {part.word for part in tree.walk() if part.kind == "each"}
            names = tuple(name for name in dict.fromkeys(self._names(tree)) if name not in own)
            yield Leaf(names, _weight(tree, wanted=wanted))

    def _names(self, tree: Term) -> Iterator[str]:
        """The names in a part, of a choice those of the side taken."""
        if tree.kind == "name":
            yield tree.word
        parts = tree.parts
        if tree.kind == "call" and tree.word == "_?_:_":
            parts = parts[2:] if certain(parts[0], self.lookup) is False else parts[1:2]
        for part in parts:
            yield from self._names(part)

    def _alternatives(self, parts: tuple[Term, ...], *, wanted: bool) -> tuple[Term, ...]:
        """Those that are certainly so, else those that are not certainly otherwise."""
        said = [(certain(part, self.lookup), part) for part in parts]
        sure = tuple(part for one, part in said if one is wanted)
        found = sure or tuple(part for one, part in said if one is None)
        return found[:1] if self.first else found


def deciding(found: list[Leaf]) -> tuple[str, ...]:
    """At most three names of these parts in their order; one figure once, and what tells least is left out first."""
    weights: dict[str, tuple[int, str]] = {}
    for leaf in found:
        for name in leaf.names:
            weight = ABSENT if name.endswith(OFFERS) or COUNTS in name else leaf.weight
            known = weights.get(_form(name), (ABSENT + 1, name))
            weights[_form(name)] = (min(known[0], weight), known[1])
    ranked = sorted(weights.values(), key=lambda one: one[0])[:MOST]
    most = PLAIN if [weight for weight, _ in ranked].count(TELLING) < ENOUGH else TELLING
    told = {name for weight, name in ranked if weight <= most or ranked[0][0] == ABSENT}
    return tuple(name for _, name in weights.values() if name in told)


def _weight(tree: Term, *, wanted: bool) -> int:
    """A figure beside a bound tells most, then what is more than nothing; that something is not there tells least."""
    if tree.kind == "call" and tree.word in ORDERS | EQUALS:
        zero = any(part.kind == "const" and part.value in (0, 0.0) and part.value is not False for part in tree.parts)
        nothing = zero and ((tree.word == "_==_") is wanted if tree.word in EQUALS else not wanted)
        return ABSENT if nothing else PLAIN if zero else TELLING
    if tree.kind == "name":
        return PLAIN if wanted else ABSENT
    return TELLING if wanted else ABSENT


def _form(name: str) -> str:
    for ending in FORMS:
        name = name.removesuffix(ending)
    return name
