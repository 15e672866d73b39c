"""Nothing that the engine says of itself looks like a secret: a remedy whose word is hidden helps nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from memrunbook.runtime.redaction import HIDDEN, redact

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "memrunbook"
NEVER_SHOWN = {"linux/public_names.py"}
"""Lists of names that are looked up."""
FILLED_IN = "several"
"""Stands for what is filled in: what comes from elsewhere is hidden by its own looks."""


def _text(node: ast.AST) -> str:
    """A string of the source as it is shown; empty for what is none."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or FILLED_IN for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def said(source: str) -> Iterator[tuple[int, str]]:
    """Every string of a file with its line: messages, hints, help texts. A file's first docstring nobody is shown."""
    tree = ast.parse(source)
    first = tree.body[0].value if tree.body and isinstance(tree.body[0], ast.Expr) else None
    for node in ast.walk(tree):
        if node is not first and (text := _text(node)):
            yield getattr(node, "lineno", 0), text


def hidden(source: str) -> list[str]:
    return [f"{line}: {redact(text)}" for line, text in said(source) if redact(text) != text]


@pytest.mark.parametrize("folder", sorted(path for path in SOURCE.iterdir() if path.is_dir() and path.name[0] != "_"))
def test_no_message_hint_or_help_text_of_ours_is_redacted(folder: Path) -> None:
    files = [path for path in folder.rglob("*.py") if str(path.relative_to(SOURCE)) not in NEVER_SHOWN]
    assert {path.name: found for path in files if (found := hidden(path.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize("path", sorted((ROOT / "runbooks").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_text_of_a_shipped_runbook_is_redacted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert redact(text) == text


def test_a_remedy_that_would_be_hidden_is_found() -> None:
    source = '"""token: never shown"""\nX = f"{Y}; or, where they hold but secrets: vault_files: skip"\n'
    assert [f"2: several; or, where they hold but secrets: {HIDDEN} skip"] == [
        one for one in hidden(source) if FILLED_IN in one
    ]
