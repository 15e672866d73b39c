"""Lists every way in which plain values differ from a type, in the words of people who write files."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from jsonschema import Draft202012Validator, validators
from msgspec import Struct

from memrunbook.core import units
from memrunbook.core.text import clean
from memrunbook.documents.forms import not_of_form
from memrunbook.documents.mistakes import EXPRESSION
from memrunbook.documents.schemas import schema
from memrunbook.documents.source import Path

TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of keys and values",
    "null": "empty",
}
KINDS: dict[str, type] = {"size": units.Size, "duration": units.Duration}
LIMITS = {
    "minimum": "must be at least {}",
    "exclusiveMinimum": "must be more than {}",
    "maximum": "must be at most {}",
    "exclusiveMaximum": "must be less than {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
}
SHOWN = 60
KNOWN_SHOWN = 12


class Fault(Struct, frozen=True):
    """One difference. With `key` it is the key at the end of the path that is wrong, not what it holds."""

    path: Path
    message: str
    hint: str = ""
    key: bool = False


def faults(data: object, kind: Any) -> list[Fault]:
    """Every difference between plain values and a type, in the order of the file's paths."""
    found = [fault for error in _VALIDATOR(schema(kind)).iter_errors(data) for fault in _explain(error)]
    return list(dict.fromkeys(found))


def _integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_VALIDATOR = cast("Any", validators.extend)(
    Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _integer)
)


def _explain(error: Any) -> Iterator[Fault]:
    path: Path = tuple(error.absolute_path)
    match error.validator:
        case "anyOf":
            yield from _alternatives(error, path)
        case "additionalProperties":
            yield from _unknown_keys(error, path)
        case "required":
            yield from _missing_keys(error, path)
        case "type":
            yield _mismatch(path, [error.schema], error.instance)
        case "enum" | "const":
            yield _no_choice(error, path)
        case "pattern":
            yield _wrong_form(error, path)
        case _:
            limit = LIMITS.get(str(error.validator), "must keep to {}").format(error.validator_value)
            yield Fault(path, f"{limit}, is {error.instance}" if _is_number(error.instance) else limit)


def _alternatives(error: Any, path: Path) -> Iterator[Fault]:
    """Explains the alternative that the value is meant to be; where it is of no alternative's kind, names the kinds."""
    alternatives: dict[int, list[Any]] = {}
    for one in error.context or ():
        alternatives.setdefault(one.relative_schema_path[0], []).append(one)
    meant = [errors for errors in alternatives.values() if not any(map(_wrong_kind, errors))]
    tagged = [errors for errors in meant if not any(map(_wrong_tag, errors))]
    if meant and not tagged:
        yield _no_tag([one for errors in meant for one in errors if _wrong_tag(one)])
    elif meant:
        for one in min(tagged, key=len):
            yield from _explain(one)
    else:
        schemas = [one.schema for one in error.context or () if _wrong_kind(one)]
        yield _mismatch(path, [one for one in schemas if one["type"] != "null"], error.instance)


def _wrong_tag(error: Any) -> bool:
    """The word that says which alternative is meant says another one."""
    return bool(error.validator == "const")


def _no_tag(errors: list[Any]) -> Fault:
    words = sorted({str(one.validator_value) for one in errors})
    names = ", ".join(f'"{word}"' for word in words)
    shown = _shown(errors[0].instance)
    return Fault(
        tuple(errors[0].absolute_path), f"must be one of {names}, is {shown}", _nearest(errors[0].instance, words)
    )


def _wrong_kind(error: Any) -> bool:
    return error.validator == "type" and not error.relative_path


def _unknown_keys(error: Any, path: Path) -> Iterator[Fault]:
    known = list(error.schema.get("properties", ()))
    for key in error.instance:
        if key not in known:
            hint = _nearest(key, known) or f"known here: {', '.join(known[:KNOWN_SHOWN])}"
            yield Fault((*path, key), f'"{clean(key, SHOWN)}" is not known here', hint, key=True)


def _missing_keys(error: Any, path: Path) -> Iterator[Fault]:
    for key in error.validator_value:
        if key not in error.instance:
            yield Fault(path, f'"{key}" is missing')


def _no_choice(error: Any, path: Path) -> Fault:
    choices = [error.validator_value] if error.validator == "const" else error.validator_value
    names = [f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in choices]
    wanted = f"one of {', '.join(names)}" if len(names) > 1 else names[0]
    return Fault(path, f"must be {wanted}, is {_shown(error.instance)}", _nearest(error.instance, choices))


def _wrong_form(error: Any, path: Path) -> Fault:
    wrong = Fault(path, f"{_shown(error.instance)} {not_of_form(error.validator_value)}")
    return _wrong_unit(path, error.schema, error.instance) or wrong


def _mismatch(path: Path, schemas: list[Any], value: object) -> Fault:
    wanted = dict.fromkeys(_wanted(one) for one in schemas)
    mismatch = Fault(path, f"must be {' or '.join(wanted)}, is {_shown(value)}", _type_hint(wanted, value))
    if len(schemas) == 1 and _is_number(value):
        return _wrong_unit(path, schemas[0], value) or mismatch
    return mismatch


def _wrong_unit(path: Path, schema: Any, value: object) -> Fault | None:
    """What the parser of sizes and durations says against a value, "message; hint"; None where none is wanted."""
    kind = KINDS.get(schema.get("title"))
    if kind is None:
        return None
    try:
        units.decode(kind, value)
    except ValueError as error:
        message, _, hint = clean(str(error)).partition("; ")
        return Fault(path, message, hint)
    return None


def _wanted(schema: Any) -> str:
    if schema.get("title") in KINDS:
        return f'a {schema["title"]} with its unit, as in "{schema["examples"][0]}"'
    return TYPES[schema["type"]]


def _type_hint(wanted: Collection[str], value: object) -> str:
    if value is None:
        return "write a value behind the colon, or leave the key out"
    if isinstance(value, str) and TYPES["array"] in wanted:
        return f"write its items one by one, in brackets: [{', '.join(clean(value, SHOWN).split())}]"
    if TYPES["string"] not in wanted:
        return ""
    if isinstance(value, dict | list):
        return EXPRESSION
    return f'put it in quotes: "{_shown(value).removeprefix("the number ")}"'


def _nearest(word: object, known: Iterable[object]) -> str:
    near = difflib.get_close_matches(str(word), [str(one) for one in known], 1)
    return f'did you mean "{near[0]}"?' if near else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, str):
        return f'"{clean(value, SHOWN)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return f"the number {value}"
    return TYPES["array" if isinstance(value, list) else "object"]
