"""What becomes of a block, and that nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from tests.golden.cases import CASES
from tests.unit.ui.html.parsed import each, parsed, words
from tests.unit.ui.test_layout import BLOCKS

from memrunbook.ui.block import BLANK, Block, Grid, Span, Table, line, note, row, title, to_type
from memrunbook.ui.html.blocks import block_elements
from memrunbook.ui.html.page import HostPart, Page, render
from memrunbook.ui.layout import lay_out


def squeezed(said: str) -> str:
    return re.sub(r"\s", "", said)


def drawn(blocks: list[Block]) -> str:
    return squeezed("".join(words(one) for block in blocks for one in block_elements(block)))


@settings(deadline=None)
@given(BLOCKS)
def test_a_page_says_all_that_a_screen_says_and_nothing_else(blocks: list[Block]) -> None:
    blocks = [block for block in blocks if not isinstance(block, Table) or block.rows]
    plain = squeezed("".join(span.text for content in lay_out(blocks, None) for span in content))
    assert drawn(blocks) == plain


@pytest.mark.parametrize("name", CASES)
def test_every_page_of_ours_is_valid_and_whole(name: str) -> None:
    blocks = list(CASES[name]())
    page = Page("A test", [], [HostPart("web1", Span("OK", "good"), blocks)], [])
    [section] = each(parsed(render(page)), "section")
    told = squeezed("".join(span.text for content in lay_out(blocks, None) for span in content))
    assert squeezed(words(section)).removeprefix("web1") == told


def test_labels_are_pairs_and_columns_are_lists_whose_rows_have_their_notes() -> None:
    [pairs] = block_elements(Grid((row("Who   ", body="ada"), row("", body="bob"), note("why: ", "x"))))
    assert [(one.tag, words(one)) for one in pairs] == [("dt", "Who"), ("dd", "ada"), ("dd", "bob"), ("dd", "why: x")]
    [columns] = block_elements(Grid((row("1", "done", body="9 s"), note("why: ", "x"), row("2", "no"))))
    assert (columns.tag, columns.get("class")) == ("ul", "grid columns3")
    assert [words(one) for one in columns] == ["1 done 9 s why: x", "2 no "]
    assert [cell.get("class") for one in columns for cell in one] == [None, None, None, "note", None, "from2"]


def test_a_table_has_names_of_columns_and_rows_and_scrolls() -> None:
    [scrolls] = block_elements(Table(("signal", "before"), (("memory", "1"),)))
    assert (scrolls.get("class"), scrolls.get("tabindex")) == ("scroll", "0")
    assert [(one.get("scope"), one.text) for one in scrolls.iter("th")] == [
        ("col", "signal"), ("col", "before"), ("row", "memory"),
    ]  # fmt: skip


def test_a_title_a_line_and_nothing() -> None:
    assert block_elements(BLANK) == []
    assert block_elements(Grid(())) == []
    [paragraph] = block_elements(line("next: ", to_type("runbook runs"), indent=2))
    assert (paragraph.tag, paragraph.get("class"), words(paragraph)) == ("p", "inner", "next: runbook runs")
    assert title("Steps", ": 3").title
