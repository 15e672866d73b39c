"""Every key that people may write says what it means, in the schema that editors show and on the page of keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tools.generate import SCHEMAS

from memrunbook.core.plan.limits import Limits
from memrunbook.core.units import format_duration
from memrunbook.documents.schemas import schema

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "keys.md"
LINES = PAGE.read_text("utf-8").splitlines()
WRITTEN = ("config", "services", "schedules")


def described(name: str) -> dict[str, Any]:
    kind, _ = SCHEMAS[name]
    entries: dict[str, Any] = schema(kind)["$defs"]
    return entries


KEYS = [
    pytest.param(entry, key, value, id=f"{name}-{entry}-{key}")
    for name in WRITTEN
    for entry, one in described(name).items()
    for key, value in one["properties"].items()
]


@pytest.mark.parametrize(("entry", "key", "value"), KEYS)
def test_it_says_what_it_means(entry: str, key: str, value: dict[str, Any]) -> None:
    said = str(value.get("description", ""))
    assert said, f"{entry}.{key}: Annotated[..., Meta(description=...)]"
    escaped = said.replace("|", "\\|")
    assert any(line.startswith(f"| `{key}` |") and escaped in line for line in LINES)


def test_what_counts_where_a_key_is_left_out_is_what_is_said() -> None:
    limits = described("config")["LimitsSpec"]["properties"]
    assert limits.keys() == set(Limits.__struct_fields__)
    for name, one in limits.items():
        value = getattr(Limits(), name)
        usual = format_duration(value) if value >= 60 else f"{value:g}"
        assert one["description"].endswith(f"; {usual} where it is left out"), name
