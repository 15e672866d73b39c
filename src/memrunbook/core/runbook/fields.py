"""The fields of a list's items, wherever an expression speaks of one: each must exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.refusal import ConditionError
from memrunbook.core.runbook.tree import Term
from memrunbook.core.runbook.world import BEFORE

Lists = tuple[Metric, ...]
Bound = Mapping[str, Lists]


class Field(NamedTuple):
    """A field of an item as it stands in an expression: the selection, its path, and the lists that may own it."""

    node: Term
    path: str
    of: Lists

    @property
    def metric(self) -> Metric | None:
        """What the field is; None where no list has it, or two lists have different ones."""
        found = [metric.fields[self.path] for metric in self.of if self.path in metric.fields]
        return found[0] if len({metric.kind for metric in found}) == 1 else None

    @property
    def text(self) -> str:
        """How it is written, as far as that is one word: `u.memory_bytes`."""
        base = _base(self.node)
        return f"{base.word}.{self.path}" if base.kind == "name" else self.path


@dataclass(frozen=True)
class Fields:
    """Finds them; `item` is the list that hands out `item`."""

    metrics: Mapping[str, Metric]
    item: Metric | None = None

    def of(self, tree: Term) -> list[Field]:
        """Every field of an item in an expression. ConditionError for one that does not exist or cannot be checked."""
        return list(self._within(tree, {"item": (self.item,)} if self.item else {}))

    def handed_out(self, tree: Term) -> Lists:
        """The lists whose items an expression hands out; none for one that it only looks into."""
        return self._lists(tree, {"item": (self.item,)} if self.item else {})

    def _within(self, node: Term, bound: Bound) -> Iterator[Field]:
        if node.kind == "select" and (owners := self._items(_base(node), bound)):
            yield _existing(Field(node, _path(node), owners))
            yield from self._within(_base(node), bound)
            return
        if node.kind == "call":
            self._refuse(node, bound)
        inside = self._inside(node, bound) if node.kind == "each" else bound
        for place, part in enumerate(node.parts):
            yield from self._within(part, bound if place == 0 else inside)

    def _inside(self, node: Term, bound: Bound) -> Bound:
        return {**bound, node.word: self._lists(node.parts[0], bound)}

    def _refuse(self, node: Term, bound: Bound) -> None:
        """What would turn "could not be read" into "no", or hide a name from being checked."""
        owner = node.parts[-1] if node.word == "@in" else node.parts[0] if node.word == "_[_]" else None
        if owner is None or not self._items(owner, bound):
            return
        if node.word == "@in":
            message = '"in" is not offered for an item: it would turn "could not be read" into "no"'
            raise ConditionError(message, "name its field", word=owner.word)
        message = "a field is named with a dot, so that its name can be checked"
        raise ConditionError(message, f"{owner.word or 'item'}.FIELD", word=owner.word)

    def _items(self, node: Term, bound: Bound) -> Lists:
        """The lists of which a part is an item; none where it is something else."""
        if node.kind == "name":
            return bound.get(node.word, ())
        if node.kind == "call" and node.word == "_[_]":
            return self._lists(node.parts[0], bound)
        chosen = node.parts[1:] if node.kind == "call" and node.word == "_?_:_" else ()
        return _each_once(metric for part in chosen for metric in self._items(part, bound))

    def _lists(self, node: Term, bound: Bound) -> Lists:
        """The lists that a part hands out the items of."""
        if node.kind == "name":
            metric = self.metrics.get(node.word.removeprefix(BEFORE))
            return (metric,) if metric is not None and metric.kind == "list" else ()
        if node.kind == "each":  # filter and map gather [x]; of exists and the like nothing is handed out
            inside, gathered = self._inside(node, bound), _gathered(node)
            return self._items(gathered, inside) if gathered else ()
        if node.kind == "list":
            return _each_once(metric for part in node.parts for metric in self._items(part, bound))
        parts = {"_?_:_": node.parts[1:], "_+_": node.parts}.get(node.word, ()) if node.kind == "call" else ()
        return _each_once(metric for part in parts for metric in self._lists(part, bound))


def _base(node: Term) -> Term:
    return _base(node.parts[0]) if node.kind == "select" else node


def _path(node: Term) -> str:
    inner = node.parts[0]
    return f"{_path(inner)}.{node.word}" if inner.kind == "select" else node.word


def _gathered(node: Term) -> Term | None:
    """The x of the [x] that a filter or map adds to what it gathers."""
    adds = (one for one in node.parts[3].walk() if one.kind == "call" and one.word == "_+_" and one.parts)
    for one in adds:
        if one.parts[0].word == node.value and one.parts[1].kind == "list":
            return one.parts[1].parts[0]
    return None


def _existing(field: Field) -> Field:
    known = {path for metric in field.of for path in metric.fields}
    if field.path in known or any(path.startswith(f"{field.path}.") for path in known):
        return field
    from difflib import get_close_matches

    first = field.of[0]
    close = get_close_matches(field.path, first.fields, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(first.fields))}"
    raise ConditionError(f"an item of {first.name} has no field {field.path!r}", hint, word=field.text)


def _each_once(metrics: Iterable[Metric]) -> Lists:
    return tuple({metric.name: metric for metric in metrics}.values())
