"""The list whose items an expression hands out, told from the lists that it only looks into."""

from __future__ import annotations

from contextlib import suppress

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.environment import Environment, shared
from memrunbook.core.runbook.expression import Expression, Scope, is_list
from memrunbook.core.runbook.fields import Fields
from memrunbook.core.runbook.tree import Term, tree_of
from memrunbook.core.runbook.world import BEFORE


def items_of(expression: Expression) -> Metric | None:
    """The list, the first where there are more; None where it names none."""
    lists = lists_named(expression)
    if len(lists) < 2:  # noqa: PLR2004  of more, some are only looked into
        return next(iter(lists), None)
    scope = expression.scope
    handed = Fields(scope.metrics, scope.item).handed_out(_tree(scope, expression.source))
    return next(iter(handed), lists[0])


def lists_named(expression: Expression) -> tuple[Metric, ...]:
    """All lists of items that it names, in their order; nothing is compiled for it."""
    scope = expression.scope
    return tuple(scope.metrics[name.removeprefix(BEFORE)] for name in expression.names if is_list(scope, name))


def _tree(scope: Scope, source: str) -> Term:
    """The tree of a source that compiles, its names as they are written."""
    fitting = scope.fitting(source)
    if fitting is not None:
        with suppress(RuntimeError):
            return tree_of(shared(scope.metrics).compile(fitting))
    return tree_of(Environment(scope.names, casts=True).compile(source))
