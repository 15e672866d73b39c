"""What a file of the wrong form says that can be judged all the same: so its mistakes of sense are told with the rest.

Each part that is not of its form has a plain one in its place, with its own id: what names it is no mistake. So has a
parameter whose type is known; what speaks of one whose type is not known could not be judged (`unjudged`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from memrunbook.documents.faults import Fault
from memrunbook.documents.source import Path, texts

Data = dict[str, Any]
PARTS: Mapping[str, Data] = {
    "checks": {"name": "-", "when": "true", "severity": "info"},
    "steps": {"name": "-", "action": "capture_evidence"},
    "causes": {"kind": "kernel", "name": '"-"', "score": "0.0"},
}
WHOLE: Mapping[str, Any] = {
    "apiVersion": "memrunbook/v1", "name": "stands-in", "title": "Stands in", "incident": "false",
    "checks": [{"id": "stands-in", **PARTS["checks"]}], "steps": [],
}  # fmt: skip
"""Keys that must be there; any other one is left out."""


DEFAULTS: Mapping[str, Any] = {
    "integer": 1, "number": 1.0, "boolean": False, "string": "-", "size": "1 MiB", "duration": "1m"
}  # fmt: skip
"""A value of each type that a parameter may be of."""


def standing_in(data: object, faults: Sequence[Fault]) -> Data | None:
    """The same without the faults; None where so much is wrong that nothing of it could be judged."""
    if not isinstance(data, dict):
        return None
    made: Data = deepcopy(data)
    for fault in faults:
        first = fault.path[0] if fault.path else None
        if first is None:
            return None
        if first == "parameters" and len(fault.path) > 1:
            _stand_in_parameter(made[first], *fault.path[1:3])
        elif fault.key and len(fault.path) == 1:
            made.pop(str(first), None)
        elif first in PARTS and len(fault.path) > 1 and isinstance(fault.path[1], int):
            _stand_in(made[str(first)], fault.path[1], PARTS[str(first)])
        elif first in WHOLE:
            made[str(first)] = WHOLE[str(first)]
        else:
            made.pop(str(first), None)
    return {**{key: value for key, value in WHOLE.items() if key not in made}, **made}


def _stand_in(parts: list[Any], number: int, plain: Data) -> None:
    given = parts[number].get("id") if isinstance(parts[number], dict) else None
    named = given if isinstance(given, str) else f"stands-in-{number}"
    parts[number] = plain if "kind" in plain else {"id": named, **plain}


def _stand_in_parameter(given: Data, name: str | int, key: str | int = "default") -> None:
    """Leaves the key out, or gives it the default of its type; without a type that is known the parameter goes."""
    spec = given.get(str(name))
    kind = spec.get("type") if isinstance(spec, dict) else None
    if spec is None or not isinstance(kind, str) or kind not in DEFAULTS:
        given.pop(str(name), None)
    elif key == "default":
        given[str(name)] = {"type": kind, "default": DEFAULTS[kind]}
    else:
        spec.pop(key, None)


def unjudged(data: Data, made: Data) -> frozenset[Path]:
    """The places of `data` that speak of a parameter that was given, and that nothing stands in for in `made`."""
    given, known = data.get("parameters", {}), made.get("parameters", {})
    gone = "|".join(map(re.escape, given.keys() - known.keys())) if isinstance(given, dict) else r"\w+"
    names = re.compile(rf"\bparameters\.(?:{gone})\b")
    return frozenset(path for path, text in texts(data) if gone and names.search(text))
