"""Gives a runbook's parameters their values: defaults, and what `-p NAME=VALUE` says instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from memrunbook.core.errors import UsageError
from memrunbook.core.runbook.spec import ParameterSpec
from memrunbook.core.units import parse_duration, parse_size
from memrunbook.runtime.redaction import named_secret
from memrunbook.runtime.secrets_told import LEAST, told

# A duration is seconds and a size is bytes in expressions.
KINDS = {
    "integer": "int", "number": "double", "boolean": "bool", "string": "string", "size": "int", "duration": "double"
}  # fmt: skip
FITS: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,), "string": (str,)}
WORDS = {"true": True, "false": False}
Noter = Callable[[tuple[str | int, ...], str], None]


def parameter_values(specs: Mapping[str, ParameterSpec], given: Mapping[str, str], note: Noter) -> dict[str, Any]:
    """Every parameter's value; problems of the file are noted, UsageError for what the command line gave."""
    for name in given:
        if name not in specs:
            from difflib import get_close_matches

            close = get_close_matches(name, specs, n=1, cutoff=0.5)
            known = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(sorted(specs)) or 'none'}"
            raise UsageError(f"this runbook has no parameter {name!r}", where=f"-p {name}", hint=known)
    values = {}
    for name, spec in specs.items():
        if spec.secret and spec.type != "string":
            note(("parameters", name, "secret"), f"only a string can be secret, this is a {spec.type}")
        try:
            values[name] = _checked(spec, _read(spec, _hidden(name, spec, spec.default)))
        except ValueError as error:
            note(("parameters", name, "default"), str(error))
        if name in given:
            try:
                values[name] = _checked(spec, _read(spec, _hidden(name, spec, given[name]), text=True))
            except ValueError as error:
                raise UsageError(str(error), where=f"-p {name}", hint=spec.description) from None
    return values


def _hidden(name: str, spec: ParameterSpec, value: Any) -> Any:
    """The value, hidden from now on wherever it stands where it is a secret; ValueError where it cannot be.

    A string whose name is that of a secret is taken for one where it can be hidden.
    """
    called = spec.secret or (named_secret(name) and len(str(value)) >= LEAST)
    if called and isinstance(value, str) and value and spec.type == "string":
        told.add(value)
    return value


def _read(spec: ParameterSpec, value: Any, *, text: bool = False) -> Any:
    if spec.type in ("size", "duration"):
        if not isinstance(value, str):
            raise ValueError(f"{value!r} has no unit; write it as in {'512 MiB' if spec.type == 'size' else '5m'}")
        return parse_size(value) if spec.type == "size" else parse_duration(value)
    if text:
        value = _from_text(spec.type, value)
    if not isinstance(value, FITS[spec.type]) or (isinstance(value, bool) and spec.type != "boolean"):
        raise ValueError(f"{value!r} is no {spec.type}")
    return _finite(value) if spec.type == "number" else value


def _finite(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _from_text(kind: str, value: str) -> Any:
    try:
        if kind == "integer":
            return int(value)
        if kind == "number":
            return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no {kind}") from None
    return WORDS.get(value.lower(), value) if kind == "boolean" else value


def _checked(spec: ParameterSpec, value: Any) -> Any:
    if spec.minimum is not None and value < _read(spec, spec.minimum):
        raise ValueError(f"{value} is below the minimum of {spec.minimum}")
    if spec.maximum is not None and value > _read(spec, spec.maximum):
        raise ValueError(f"{value} is above the maximum of {spec.maximum}")
    if spec.enum is not None and value not in [_read(spec, allowed) for allowed in spec.enum]:
        raise ValueError(f"{value!r} is none of {', '.join(map(str, spec.enum))}")
    return value
