"""No pattern of ours is an answer to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from memrunbook.documents.forms import FORMS, not_of_form

SCHEMAS = Path(__file__).parents[3] / "schemas"


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            yield pattern
        yield from schema.get("patternProperties", {})
    if isinstance(schema, dict | list):
        for one in schema.values() if isinstance(schema, dict) else schema:
            yield from patterns(one)


def test_each_pattern_of_a_schema_is_told_in_words() -> None:
    found = {one for path in SCHEMAS.rglob("*.json") for one in patterns(msgspec.json.decode(path.read_bytes()))}
    assert len(found) > 5
    assert found <= FORMS.keys()
    assert not [words for words in FORMS.values() if re.search(r"[\\^$]", words)]


def test_what_nobody_put_into_words_is_told_as_it_is() -> None:
    assert not_of_form("^x$") == "has not the form ^x$"
