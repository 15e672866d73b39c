"""The catalogue of metrics, derived from the fields of the facts' readings."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Reading
from memrunbook.core.units import Unit

KINDS: dict[Any, str] = {int: "int", float: "double", bool: "bool", str: "string"}


class Metric(Struct, frozen=True):
    """One named value. `kind`: int, double, bool, string, list (of items) or list of one of the four.

    `fields` are the metrics of a list's items, by name; `alias` is another name that people type, empty for none;
    `kept` stays in the journal beside a diagnosis.
    """

    name: str
    kind: str
    unit: Unit
    meaning: str
    source: str
    fields: dict[str, Metric] = {}
    alias: str = ""
    kept: bool = False


def metrics_of(name: str, fact: Fact) -> dict[str, Metric]:
    """All metrics of a fact by their full name, `<fact>.supported` first."""
    meaning = "true: read; false: this host does not offer it; unknown: it could not be read"
    found = [Metric(f"{name}.supported", "bool", Unit.NONE, meaning, fact.meaning)]
    found += list(_walk(f"{name}.", fact.reading))
    return {metric.name: metric for metric in found}


def catalogue(facts: Mapping[str, Fact]) -> dict[str, Metric]:
    """The metrics of all facts by their full name."""
    return {name: metric for fact in sorted(facts) for name, metric in metrics_of(fact, facts[fact]).items()}


def _walk(prefix: str, struct: type[Struct]) -> Iterator[Metric]:
    own = set(Reading.__struct_fields__)
    written = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))  # "class", not "class_"
    for field, hint in typing.get_type_hints(struct, include_extras=True).items():
        if field in own or field not in written:
            continue
        doc = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Doc)), Doc(""))
        kind = _bare(hint)
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield from _walk(f"{prefix}{written[field]}.", kind)
        else:
            yield _metric(f"{prefix}{written[field]}", kind, doc)


@cache
def _fields(item: type[Struct]) -> dict[str, Metric]:
    """The metrics of a list's items, once for all lists of the same: reading annotations is slow."""
    return {metric.name: metric for metric in _walk("", item)}


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    return hint


def _metric(name: str, kind: Any, doc: Doc) -> Metric:
    if typing.get_origin(kind) in (list, tuple):
        item = typing.get_args(kind)[0]
        if isinstance(item, type) and issubclass(item, Struct):
            return Metric(name, "list", doc.unit, doc.meaning, doc.source, _fields(item), kept=doc.kept)
        return Metric(name, f"list({KINDS[item]})", doc.unit, doc.meaning, doc.source)
    return Metric(name, KINDS[kind], doc.unit, doc.meaning, doc.source, alias=doc.alias)
