"""The documents that docs/ shows are valid ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memrunbook.documents.runbooks import load_policy

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = [
    pytest.param(text, id=f"{page.relative_to(DOCS)}-{number}")
    for page in sorted(DOCS.rglob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("text", SHOWN)
def test_a_policy_that_is_shown_is_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(text, "utf-8")
    policy = load_policy(tmp_path / "services.yaml")
    assert len(policy.services) == text.count("- unit:") > 0
