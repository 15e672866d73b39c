"""The page of schedules.yaml has every key and every state of a firing; its how-to shows valid ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from memrunbook.documents.config import load_config
from memrunbook.documents.matchers import AlertingSpec
from memrunbook.documents.schedule_spec import ScheduleSpec
from memrunbook.documents.schedules import load_schedules
from memrunbook.state.store.firings import FiringState

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference/schedules.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to/schedule.md").read_text("utf-8")
SHOWN = [text for text in re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL) if text.startswith("schedules:")]
FREEZES = [text for text in re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL) if "freeze:" in text]


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by each name of their first cell."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [re.split(r" \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| `")]
    return {name: row for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_key_stands_there_with_its_default() -> None:
    shown = rows("Keys of a schedule")
    fields = msgspec.structs.fields(ScheduleSpec)
    assert list(shown) == sorted(shown, key=[one.name for one in fields].index)
    assert set(shown) == {one.name for one in fields}
    for one in fields:
        assert (shown[one.name][2] == "must be there") == one.required, one.name
        if isinstance(one.default, str) and one.default:
            assert shown[one.name][2] == f"`{one.default}`"
    for one in msgspec.structs.fields(AlertingSpec):
        assert f"`{one.name}`" in shown["unless_alerting"][1]


def test_every_duration_is_described_in_the_schema() -> None:
    schema = json.loads((DOCS.parent / "schemas/schedules.schema.json").read_text("utf-8"))
    properties = schema["$defs"]["ScheduleSpec"]
    for name, found in properties["properties"].items():
        said = [found, *found.get("anyOf", [])]
        assert any("description" in one or "$ref" in one for one in said), name


def test_every_state_stands_there() -> None:
    assert set(rows("What becomes of a firing")) == set(get_args(FiringState))


@pytest.mark.parametrize("text", SHOWN)
def test_a_schedule_that_is_shown_is_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(text, "utf-8")
    found = load_schedules(path)
    assert found.jobs
    assert not found.problems
    (tmp_path / "config.yaml").write_text(FREEZES[0], "utf-8")
    known = {window.name for window in load_config(tmp_path / "config.yaml").freeze}
    assert {name for job in found.jobs for name in job.windows} <= known
