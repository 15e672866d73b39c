"""Hypothesis strategies for any value of a type that the journal can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as mi

SMALL = 3
WORDS = st.text(max_size=8)
WHOLE = st.integers(-(1 << 62), 1 << 62)
DECIMAL = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | WHOLE | DECIMAL | WORDS,
    lambda inner: st.lists(inner, max_size=SMALL) | st.dictionaries(WORDS, inner, max_size=SMALL),
    max_leaves=4,
)
Fields = Mapping[type[Any], Mapping[str, st.SearchStrategy[Any]]]


def any_of(kind: Any, special: Fields | None = None) -> st.SearchStrategy[Any]:
    """Any value of a type; `special` says for fields of structs what else they hold."""
    return _any(mi.type_info(kind), special or {})


def _any(kind: mi.Type, special: Fields) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911  one kind of type each
    match kind:
        case mi.StructType():
            return _struct(kind, special)
        case mi.UnionType():
            return st.one_of([_any(one, special) for one in kind.types])
        case mi.LiteralType():
            return st.sampled_from(kind.values)
        case mi.EnumType():
            return st.sampled_from(list(kind.cls))
        case mi.VarTupleType():
            return st.lists(_any(kind.item_type, special), max_size=SMALL).map(tuple)
        case mi.ListType():
            return st.lists(_any(kind.item_type, special), max_size=SMALL)
        case mi.TupleType():
            return st.tuples(*(_any(one, special) for one in kind.item_types))
        case mi.DictType():
            return st.dictionaries(WORDS, _any(kind.value_type, special), max_size=SMALL)
        case mi.Metadata():
            return _any(kind.type, special)
        case _:
            return _leaf(kind)


def _leaf(kind: mi.Type) -> st.SearchStrategy[Any]:
    leaves: dict[type[mi.Type], st.SearchStrategy[Any]] = {
        mi.NoneType: st.none(),
        mi.BoolType: st.booleans(),
        mi.IntType: WHOLE,
        mi.FloatType: DECIMAL,
        mi.StrType: WORDS,
        mi.AnyType: PLAIN,
    }
    return leaves[type(kind)]


def _struct(kind: mi.StructType, special: Fields) -> st.SearchStrategy[Any]:
    known = special.get(kind.cls, {})
    fields = {
        field.name: known[field.name] if field.name in known else _any(field.type, special) for field in kind.fields
    }
    return st.builds(kind.cls, **fields)


def readings(types: Mapping[str, type[msgspec.Struct]], missing: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """The readings of some facts, or why there are none."""
    one = {name: any_of(kind) | any_of(missing) for name, kind in types.items()}
    names = st.lists(st.sampled_from(sorted(one)), max_size=SMALL, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: one[name] for name in chosen}))
