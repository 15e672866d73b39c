"""The CEL environment: one for all runbooks; the only file that knows the CEL runtime.

An environment costs milliseconds and half a MiB. So the names that a runbook adds are not declared in one of its own:
in the shared one each stands in a slot of its type. An expression that does not fit there, or is refused, is compiled
in an environment of exactly the names that it may use, so that every message speaks of those and of the author's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.world import BEFORE, CONSTANTS, Values

SLOTS = {"int": 16, "double": 16, "string": 16, "bool": 64}
CASTING = {
    kind: f"__as_{kind.replace('(', '_').rstrip(')')}"
    for kind in ("int", "double", "bool", "string", "list(int)", "list(double)", "list(string)")
}
CASTS = {kind: f".{name}()" for kind, name in CASTING.items()}
"""What, written behind something of unknown type, tells the checker its kind; no author may write it."""
OWN = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w.])(?:parameters|checks)\.[A-Za-z_]\w*""")
# What only CEL's own parser tells from a name of ours: comments, escapes, long texts, and a word that hides a name.
UNFIT = re.compile(r"""//|\\|\"{3}|'{3}|__|\b(?:parameters|checks)\s*,""")


class Environment:
    """Names by their kind, declared to CEL; with `casts` those too, for what is checked and never evaluated."""

    def __init__(self, names: Mapping[str, str], *, casts: bool = False) -> None:
        from cel_expr_python import cel

        item = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        types = {"int": cel.Type.INT, "double": cel.Type.DOUBLE, "bool": cel.Type.BOOL, "string": cel.Type.STRING}
        types |= {f"list({kind})": cel.Type.List(of) for kind, of in types.items()}
        types |= {"list": cel.Type.List(item), "item": item}
        casting = [
            cel.FunctionDecl(
                name, [cel.Overload(name, return_type=types[kind], parameters=[cel.Type.DYN], is_member=True)]
            )
            for kind, name in (CASTING if casts else {}).items()
        ]
        self._env = cel.NewEnv(variables={name: types[kind] for name, kind in names.items()}, functions=casting)

    def compile(self, source: str) -> Any:
        """The program of an expression; RuntimeError with CEL's own words for one that it refuses."""
        return self._env.compile(source)

    def bound(self, values: Values) -> Any:
        """A snapshot's metrics for programs of this environment: CEL converts each once, when it is first named."""
        if values.bound is None:
            values.bound = self._env.Activation(values.offered())
        return values.bound


def slots_of(own: Mapping[str, str]) -> dict[str, str]:
    """The slot of each name that a runbook adds, by kind; one that finds no free slot has none."""
    left = {kind: iter(range(count)) for kind, count in SLOTS.items()}
    found = {name: (kind, next(left[kind], None)) for name, kind in own.items()}
    return {name: f"__{kind}_{place}" for name, (kind, place) in found.items() if place is not None}


def in_slots(source: str, slots: Mapping[str, str]) -> str | None:
    """The expression with slots for the names that a runbook adds; None where that cannot be told from its text."""
    if UNFIT.search(source):
        return None
    return OWN.sub(lambda found: found[0] if found[1] else slots.get(found[0], found[0]), source)


def shared(metrics: Mapping[str, Metric]) -> Environment:
    """The environment of all expressions over these metrics, made when it is first asked for."""
    # By identity: the catalogue is one object, and comparing hundreds of metrics costs more than an environment.
    kept = _shared.get(id(metrics))
    if kept is None:
        names = {name: metric.kind for name, metric in metrics.items()}
        names |= {BEFORE + name: kind for name, kind in names.items()}
        names |= dict.fromkeys(CONSTANTS, "int") | {"item": "item", "target": "string"}
        names |= {f"__{kind}_{place}": kind for kind, count in SLOTS.items() for place in range(count)}
        kept = _shared[id(metrics)] = (metrics, Environment(names, casts=True))
    return kept[1]


_shared: dict[int, tuple[Mapping[str, Metric], Environment]] = {}
