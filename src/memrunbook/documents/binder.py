"""Compiles the expressions of one runbook, and gathers what is wrong with it, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from memrunbook import catalog
from memrunbook.core.errors import Problem
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.condition import Condition, ConditionError, Expression, Scope
from memrunbook.core.runbook.handed_out import items_of, lists_named
from memrunbook.core.runbook.spec import RunbookSpec, Text
from memrunbook.documents.parameters import KINDS
from memrunbook.documents.source import Path, Source


@dataclass
class Binder:
    """Binds one source; `problems` grows until the end. A trusted one was bound before: nothing is compiled.

    `told` are the places whose text is no expression, which was told already.
    """

    source: Source
    spec: RunbookSpec
    trusted: bool = False
    problems: list[Problem] = field(default_factory=list)
    scopes: dict[tuple[str, bool, bool], Scope] = field(default_factory=dict)
    told: set[Path] = field(default_factory=set)

    def problem(self, path: Path, message: str, hint: str = "", word: str = "") -> None:
        """Notes a problem at a place of the file, or at a word inside of it; what follows a "; " is its hint."""
        what, _, remedy = (message, "", hint) if hint else message.partition("; ")
        self.problems.append(Problem(self.source.where(path, word), what, remedy))

    def scope(self, item: Metric | None = None, *, checks: bool = True, step: bool = False) -> Scope:
        """The names that may be used at a place."""
        place = (item.name if item else "", checks, step)
        if place not in self.scopes:
            names = tuple(check.id.replace("-", "_") for check in self.spec.checks) if checks else ()
            kinds = {name: KINDS[parameter.type] for name, parameter in self.spec.parameters.items()}
            self.scopes[place] = Scope(catalog.metrics(), kinds, names, item, step)
        return self.scopes[place]

    def item_scope(self, items: Expression | None, *, step: bool = False) -> Scope:
        """The names that may be used for each of the items; of a trusted source their fields were checked before."""
        if items is None:
            return self.scope(step=step)
        return self.scope(next(iter(lists_named(items)), None) if self.trusted else items_of(items), step=step)

    def expression(self, text: str, path: Path, scope: Scope, *, boolean: bool = False) -> Expression | None:
        """Compiles one expression, or notes why not."""
        if self.trusted:
            return scope.later(text.strip())
        if path in self.told:
            return None
        try:
            return scope.compile(text.strip(), boolean=boolean)
        except ConditionError as error:
            word = text.strip().splitlines()[error.line - 1][error.column - 1 :] if text.strip() else ""
            self.problem(path, error.message, error.hint, error.word or word)
            return None

    def items(self, text: str, path: Path) -> Expression | None:
        """Compiles an expression that hands out items."""
        found = self.expression(text, path, self.scope())
        if found is not None and not self.trusted and found.kind.partition("<")[0] not in ("LIST", "DYN"):
            self.problem(path, "this must be a list of items", "as in units.growing.filter(u, u.growth_share > 0.5)")
        return found

    def condition(self, text: Text, path: Path, scope: Scope) -> Condition:
        """Compiles a condition; a list means that all must hold."""
        parts = [text] if isinstance(text, str) else text
        paths = [path] if isinstance(text, str) else [(*path, index) for index in range(len(parts))]
        compiled = [self.expression(part, at, scope, boolean=True) for part, at in zip(parts, paths, strict=True)]
        return Condition(tuple(part for part in compiled if part is not None))


def near(name: str, known: Mapping[str, Any]) -> str:
    """A hint at the known name that may be meant, or at those that there are."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known)[:12])}"
