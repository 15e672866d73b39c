"""JSON Schemas: valid, with units and defaults, and accepting just what the type accepts."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from memrunbook.core import units
from memrunbook.core.action.action import Risk
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.runbook.spec import RunbookSpec
from memrunbook.core.units import Duration, Size
from memrunbook.documents.schemas import TAG, render, schema


class Leaf(Struct, frozen=True, tag="leaf"):
    """The end of a branch."""

    size: Size = Size(1024)


class Branch(Struct, frozen=True, tag="branch", forbid_unknown_fields=True):
    parts: list[Branch | Leaf]
    risk: Risk = Risk.LOW
    pause: Duration = Duration(90)
    extra: Any = None
    kind: Literal["a", "b"] = "a"
    share: Annotated[float, Meta(ge=0, extra_json_schema={"examples": [0.5]})] = 0.5


@pytest.mark.parametrize("kind", [RunbookSpec, ServicePolicy, Branch])
def test_a_schema_is_a_valid_schema(kind: Any) -> None:
    Draft202012Validator.check_schema(json.loads(render(kind, "title", "name")))


def test_a_rendered_schema_says_what_it_is() -> None:
    text = render(ServicePolicy, "Services", "services")
    found = json.loads(text)
    assert text.endswith("}\n")
    assert found["title"] == "Services"
    assert found["$id"] == "urn:memrunbook:schema:services:1"
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$ref"] == "#/$defs/ServicePolicy"


def test_defaults_are_written_as_people_write_them() -> None:
    found = schema(Branch)["$defs"]
    assert found["Leaf"]["properties"]["size"]["default"] == "1024 B"
    assert found["Branch"]["properties"]["pause"]["default"] == "90s"
    assert found["Branch"]["properties"]["risk"] == {"enum": [0, 1, 2, 3], "default": 1}
    assert found["Branch"]["properties"]["share"] == {
        "type": "number",
        "minimum": 0,
        "examples": [0.5],
        "default": 0.5,
    }
    assert units.parse_size("1024 B") == 1024
    assert units.parse_duration("90s") == 90


def test_structs_are_described_and_named_once() -> None:
    found = schema(Branch)["$defs"]
    assert list(found) == ["Branch", "Leaf"]
    assert found["Leaf"]["description"] == "The end of a branch."
    assert "description" not in found["Branch"]
    assert found["Branch"]["properties"]["type"] == {"const": "branch", "description": TAG}
    assert found["Branch"]["required"] == ["type", "parts"]


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"type": "branch", "parts": []}, True),
        ({"type": "branch", "parts": [{"type": "leaf", "size": "5 MiB"}, {"type": "branch", "parts": []}]}, True),
        ({"type": "branch", "parts": [], "pause": "5m", "extra": [1], "risk": 3, "kind": "b"}, True),
        ({"type": "branch"}, False),
        ({"type": "branch", "parts": [], "pause": 5}, False),
        ({"type": "branch", "parts": [], "unknown": 5}, False),
        ({"type": "branch", "parts": [{"type": "twig"}]}, False),
        ({"type": "branch", "parts": [{"type": "leaf", "size": "5 MB"}]}, False),
        ({"type": "branch", "parts": [], "kind": "c"}, False),
        ({"type": "branch", "parts": [], "risk": 4}, False),
    ],
)
def test_the_schema_accepts_what_the_type_accepts(value: Any, *, fits: bool) -> None:
    assert Draft202012Validator(schema(Branch)).is_valid(value) == fits
    try:
        msgspec.convert(value, Branch, dec_hook=units.decode)
    except msgspec.ValidationError:
        assert not fits
    else:
        assert fits


def test_what_no_document_can_hold_is_refused() -> None:
    class Odd(Struct):
        value: set[int]

    with pytest.raises(TypeError, match="a document cannot hold"):
        schema(Odd)


def test_a_default_that_cannot_be_written_is_refused() -> None:
    class Odd(Struct):
        value: Any = object

    with pytest.raises(TypeError, match="has no place in a document"):
        schema(Odd)
