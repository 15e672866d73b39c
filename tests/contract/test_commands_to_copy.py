"""A command that is printed to be copied is never broken: a shell runs its first line at once, without the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.golden.cases import CASES

from memrunbook.ui.block import Block, Line, Row, Span, Table, Text
from memrunbook.ui.commands import commands_in
from memrunbook.ui.layout import lay_out

SOURCE = Path(__file__).parents[2] / "src" / "memrunbook"
DRAWN = sorted(path for folder in ("ui", "cli") for path in (SOURCE / folder).rglob("*.py"))


def texts(blocks: Sequence[Block]) -> Iterator[Text]:
    for block in blocks:
        if isinstance(block, Line):
            yield from (block.head, block.body)
        elif not isinstance(block, Table):
            for entry in block.entries:
                yield from entry.cells if isinstance(entry, Row) else (entry.head,)
                yield entry.body


def commands(blocks: Sequence[Block]) -> list[str]:
    """Every command of a page, marked as one or inside of a sentence."""
    spans: list[Span] = [span for content in texts(blocks) for span in content]
    said = [(span.text, [(0, len(span.text))] if span.typed else commands_in(span.text)) for span in spans]
    return [words[start:end] for words, places in said for start, end in places]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", CASES)
def test_every_command_of_every_page_stands_on_one_line(name: str, width: int) -> None:
    page = CASES[name]()
    lines = ["".join(span.text for span in content) for content in lay_out(page, width)]
    assert [command for command in commands(page) if not any(command in shown for shown in lines)] == []


def test_the_pages_have_commands() -> None:
    assert len([command for page in CASES.values() for command in commands(page())]) > len(CASES)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nobody_draws_a_command_in_another_way(path: Path) -> None:
    """What looks like a command goes through `to_type`: a span in the colour of hints is a label, "hint: "."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Span"):
            continue
        style = node.args[1] if len(node.args) > 1 else None
        if isinstance(style, ast.Constant) and style.value == "hint" and path.name != "block.py":
            told = f"{path.name}:{node.lineno}: to_type draws commands"
            assert not node.keywords, told
            assert "runbook" not in ast.unparse(node.args[0]), told
