"""Each schema is known by a name that stays, and a catalogue names those of the files that people write."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
END = ".schema.json"
GENERATIONS = {"saved-plan": "2"}
"""Forms that those who read the one before could not read; a name that was given stays."""
CATALOGUE = ROOT / "share" / "schemastore" / "catalog.json"


def schemas() -> dict[str, dict[str, Any]]:
    return {path.name.removesuffix(END): json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob(f"*{END}")}


def formats(schema: dict[str, Any]) -> set[str]:
    """The constants of `format`, as memrunbook.oom-log/1, of the document itself."""
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    allowed = root.get("properties", {}).get("format", {})
    return {value for value in [*allowed.get("enum", []), allowed.get("const")] if value}


def test_each_schema_has_a_name_of_its_own_which_its_file_and_format_have_too() -> None:
    found = schemas()
    assert len(found) > 30
    for name, schema in found.items():
        generation = GENERATIONS.get(name, "1")
        assert schema["$id"] == f"urn:memrunbook:schema:{name}:{generation}"
        assert {one.rpartition("/")[2] for one in formats(schema)} <= {generation}, "another form has another name"
        Draft202012Validator.check_schema(schema)
    assert sum(bool(formats(schema)) for schema in found.values()) > 20


def test_the_catalogue_names_what_people_write() -> None:
    entries = json.loads(CATALOGUE.read_text("utf-8"))["schemas"]
    assert len({entry["name"] for entry in entries}) == len(entries) == 4
    for entry in entries:
        assert set(entry) == {"name", "description", "fileMatch", "url"}
        assert entry["description"]
        assert (SCHEMAS / entry["url"]).is_file()
    matched = {entry["url"]: entry["fileMatch"] for entry in entries}
    for url, path in {
        "config.schema.json": "/etc/memrunbook/config.yaml",
        "runbook.schema.json": "/home/ada/.config/memrunbook/runbooks/mine.yaml",
        "schedules.schema.json": "/etc/memrunbook/schedules.yaml",
        "services.schema.json": "/etc/memrunbook/services.yaml",
    }.items():
        assert [one for one, patterns in matched.items() if any(fnmatchcase(path, word) for word in patterns)] == [url]
