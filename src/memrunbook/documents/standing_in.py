"""What a file of the wrong form says that can be judged all the same: so its mistakes of sense are told with the rest.

Each part that is not of its form has a plain one in its place, with its own id: what names it is no mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from memrunbook.documents.faults import Fault

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


def standing_in(data: object, faults: Sequence[Fault]) -> Data | None:
    """The same without the faults; None where so much is wrong that nothing of it could be judged."""
    if not isinstance(data, dict):
        return None
    made: Data = deepcopy(data)
    for fault in faults:
        first = fault.path[0] if fault.path else None
        if first is None or first == "parameters":  # what speaks of a parameter could not be judged
            return None
        if fault.key and len(fault.path) == 1:
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
