"""Checks that the fields of a list's items are used as what they are.

To CEL an item is a map of anything: it lets `u.memory_bytes > "300 MiB"` pass, which then never holds. So the
expression is compiled once more with the type of each field written behind it, and CEL's own checker judges that text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.environment import CASTS, Environment
from memrunbook.core.runbook.fields import Field
from memrunbook.core.runbook.refusal import CEL_ERROR, ConditionError, explained
from memrunbook.core.runbook.tree import Term
from memrunbook.core.units import Unit, parse_size

SELECTED = re.compile(r"\.\s*[A-Za-z_]\w*")
OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
NAMES = {"_?_:_": "? :", "@in": "in", "!_": "!", "-_": "-", "_[_]": "[]"}
KINDS = {
    "int": "a whole number", "double": "a decimal", "bool": "true/false", "string": "text",
    "list(int)": "a list of whole numbers", "list(double)": "a list of decimals", "list(string)": "a list of texts",
}  # fmt: skip
SIZES = ("GiB", "MiB", "KiB")
Casts = Sequence[tuple[int, str]]


def check_types(source: str, environment: Environment, fields: Sequence[Field], tree: Term) -> None:
    """ConditionError for a field of an item that is used as what it is not, at its place in `source`."""
    casts = sorted((_end(source, one.node), CASTS[one.metric.kind]) for one in fields if one.metric and _simple(one))
    try:
        environment.compile(_with_casts(source, casts))
    except RuntimeError as error:
        raise _mistaken(str(error), source, casts, tree, fields) from None


def _simple(field: Field) -> bool:
    return field.metric is not None and field.metric.kind in CASTS


def _end(source: str, node: Term) -> int:
    """Where the name of a selected field ends."""
    found = SELECTED.match(source, node.offset)
    return found.end() if found else len(source)


def _with_casts(source: str, casts: Casts) -> str:
    typed, last = "", 0
    for place, cast in casts:
        typed, last = f"{typed}{source[last:place]}{cast}", place
    return typed + source[last:]


def _mistaken(error: str, source: str, casts: Casts, tree: Term, fields: Sequence[Field]) -> ConditionError:
    """What CEL says of the text with types, said of the text that its author wrote."""
    found = CEL_ERROR.search(error)
    if found is None:
        return explained(error, ())
    place = _place(_with_casts(source, casts), casts, int(found[1]), int(found[2]))
    said = found[3].removesuffix(" [INVALID_ARGUMENT]")
    node = next((one for one in tree.walk() if one.offset == place and one.kind in ("call", "each")), tree)
    misused = next((one for one in fields if one.metric and one.node in _operands(node)), None)
    line, column = source.count("\n", 0, place) + 1, place - source.rfind("\n", 0, place)
    if misused is None or misused.metric is None:
        return ConditionError(_message(said, node), "", line, column, word=source[place : place + 2].strip())
    return ConditionError(_message(said, node), _hint(misused, misused.metric, node), line, column, misused.text)


def _place(typed: str, casts: Casts, line: int, column: int) -> int:
    """The offset in the author's text of a line and column of the text with types."""
    place = sum(len(text) + 1 for text in typed.split("\n")[: line - 1]) + column - 1
    added = 0
    for end, cast in casts:
        if end + added >= place:
            break
        added += len(cast)
    return place - added


def _operands(node: Term) -> Iterator[Term]:
    """What an operator works on; what arithmetic makes of it is of the same type."""
    parts = node.parts[3:4] if node.kind == "each" else node.parts
    for part in parts:
        yield part
        if part.kind == "call" or node.kind == "each":
            yield from _operands(part)


def _message(said: str, node: Term) -> str:
    found = OVERLOAD.search(said)
    if found is None:
        return said
    if node.kind == "each":
        return f"what is asked of each item must be true or false, it is {_kinds(found[2])[-1]}"
    kinds = _kinds(found[2])
    name = NAMES.get(found[1], found[1].strip("_"))
    return f"{name!r} does not work on {' and '.join(kinds)}"


def _kinds(said: str) -> list[str]:
    return [KINDS.get(kind, kind) for kind in said.split(", ")]


def _hint(field: Field, metric: Metric, node: Term) -> str:
    kind = KINDS[metric.kind]
    if metric.unit is Unit.BYTES:
        kind += " of bytes"
    written = [one.value for one in node.parts if one.kind == "const"] if node.kind == "call" else []
    example = _example(metric, written[0]) if written else ""
    return f"{field.path} is {kind}: write {example}" if example else f"{field.path} is {kind}"


def _example(metric: Metric, value: object) -> str:
    """The constant as it should be written; nothing where that cannot be told."""
    kind = metric.kind.removeprefix("list(").removesuffix(")")
    if kind == "bool":
        return "it alone, or with ! before it"
    if kind == "int" and isinstance(value, str):
        return _size(value) if metric.unit is Unit.BYTES else value.strip() if value.strip().isdigit() else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return {"double": f"{float(value)}", "int": f"{int(value)}", "string": f'"{value}"'}.get(kind, "")


def _size(text: str) -> str:
    try:
        size = parse_size(text)
    except ValueError:
        return ""
    from memrunbook.core.runbook.world import CONSTANTS

    unit = next((name for name in SIZES if size % CONSTANTS[name] == 0), "")
    return f"{size // CONSTANTS[unit]} * {unit}" if unit else str(int(size))
