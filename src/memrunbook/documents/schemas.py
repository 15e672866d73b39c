"""JSON Schemas of the types that documents are read into."""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as mi

from memrunbook.core import units

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
KNOWN_AS = "urn:memrunbook:schema:"
NAMES: dict[type[mi.Type], str] = {
    mi.NoneType: "null",
    mi.BoolType: "boolean",
    mi.IntType: "integer",
    mi.FloatType: "number",
    mi.StrType: "string",
    mi.ListType: "array",
    mi.VarTupleType: "array",
    mi.TupleType: "array",
    mi.DictType: "object",
}
LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "pattern": "pattern"}
TAG = "says which of these it is"
LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


def render(kind: Any, title: str, name: str) -> str:
    """The JSON Schema (2020-12) of a type as text; a size or a duration is text with a unit.

    By `name`, and the generation that its `format` has, it is known for good (`$id`), wherever the file lies.
    """
    found = schema(kind)
    known = {"$id": f"{KNOWN_AS}{name}:{_generation(found)}", "title": title}
    return json.dumps({**known, **found}, indent=2, ensure_ascii=False) + "\n"


def _generation(found: Schema) -> str:
    """That of a document whose `format` is memrunbook.NAME/2, say; what says none is of the first."""
    root = found["$defs"].get(found.get("$ref", "").rpartition("/")[2], found)
    formats = root.get("properties", {}).get("format", {}).get("enum", [])
    return str(formats[0].rpartition("/")[2]) if formats else "1"


def schema(kind: Any) -> Schema:
    """The JSON Schema of a type as plain values; TypeError for a type that no document may hold.

    msgspec's own generator cannot write a default that is a size or a duration.
    """
    definitions: dict[str, Schema] = {}
    root = _schema(mi.type_info(kind), definitions)
    return {"$schema": DIALECT, **root, "$defs": dict(sorted(definitions.items()))}


def _schema(kind: mi.Type, definitions: dict[str, Schema]) -> Schema:
    if isinstance(kind, mi.StructType):
        return _reference(kind, definitions)
    if isinstance(kind, mi.UnionType):
        return _union([_schema(one, definitions) for one in kind.types])
    if isinstance(kind, mi.Metadata):
        return {**_schema(kind.type, definitions), **(kind.extra_json_schema or {})}
    if type(kind) in NAMES:
        return {"type": NAMES[type(kind)], **_limits(kind), **_inside(kind, definitions)}
    return _leaf(kind)


def _union(kinds: list[Schema]) -> Schema:
    """One of these; where one alone is described, and none besides it is but null, that stands for the whole."""
    said = [one for one in kinds if "description" in one]
    if len(said) != 1 or len(kinds) - len(said) != sum(one == {"type": "null"} for one in kinds):
        return {"anyOf": kinds}
    plain = {word: value for word, value in said[0].items() if word != "description"}
    return {"anyOf": [plain if one is said[0] else one for one in kinds], "description": said[0]["description"]}


def _leaf(kind: mi.Type) -> Schema:
    match kind:
        case mi.AnyType():
            return {}
        case mi.LiteralType():
            return {"enum": list(kind.values)}
        case mi.EnumType():
            return {"enum": [member.value for member in kind.cls]}
        case mi.CustomType():
            return {"title": kind.cls.__name__.lower(), **units.schema(kind.cls)}
        case _:
            raise TypeError(f"a document cannot hold {kind}")


def _limits(kind: mi.Type) -> Schema:
    found = {word: getattr(kind, name, None) for name, word in LIMITS.items()}
    if noun := LENGTHS.get(NAMES[type(kind)]):
        found |= {f"{end}{noun}": getattr(kind, f"{end}_length", None) for end in ("min", "max")}
    return {word: limit for word, limit in found.items() if limit is not None}


def _inside(kind: mi.Type, definitions: dict[str, Schema]) -> Schema:
    if isinstance(kind, mi.ListType | mi.VarTupleType):
        return {"items": _schema(kind.item_type, definitions)}
    if isinstance(kind, mi.TupleType):
        return {"prefixItems": [_schema(one, definitions) for one in kind.item_types], "items": False}
    if isinstance(kind, mi.DictType):
        return {"additionalProperties": _schema(kind.value_type, definitions)}
    return {}


def _reference(kind: mi.StructType, definitions: dict[str, Schema]) -> Schema:
    name = kind.cls.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name].update(_struct(kind, definitions))
    return {"$ref": f"#/$defs/{name}"}


def _struct(kind: mi.StructType, definitions: dict[str, Schema]) -> Schema:
    properties: Schema = {kind.tag_field: {"const": kind.tag, "description": TAG}} if kind.tag_field else {}
    properties |= {field.encode_name: _field(field, definitions) for field in kind.fields}
    required = [name for name in (kind.tag_field,) if name]
    required += [field.encode_name for field in kind.fields if field.required]
    said = kind.cls.__dict__.get("__doc__")
    meaning = {"description": inspect.cleandoc(said)} if said else {}
    found: Schema = {"type": "object", **meaning, "properties": properties}
    found |= {"required": required} if required else {}
    return found | ({"additionalProperties": False} if kind.forbid_unknown_fields else {})


def _field(field: mi.Field, definitions: dict[str, Schema]) -> Schema:
    found = _schema(field.type, definitions)
    if field.default is NODEFAULT or field.default is None:
        return found
    return found | {"default": msgspec.to_builtins(field.default, str_keys=True, enc_hook=units.written)}
