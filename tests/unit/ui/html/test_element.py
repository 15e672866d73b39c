"""Text goes through one door; attributes take none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ui.html.parsed import each, parsed, words

from memrunbook.runtime.redaction import HIDDEN
from memrunbook.ui.block import Span, text, to_type
from memrunbook.ui.html import element as door
from memrunbook.ui.html.element import document, element
from memrunbook.ui.layout import plain

FOLDER = Path(door.__file__).parent


def page(*inside: door.Inside) -> str:
    head = element("head", "", element("title", "", "t"))
    return document(element("html", "", head, element("body", "", element("p", "", *inside))))


@given(st.lists(st.tuples(st.text(), st.sampled_from(["", "critical"]), st.booleans()), max_size=4))
def test_whatever_is_said_is_read_back_as_a_screen_would_show_it(said: list[tuple[str, str, bool]]) -> None:
    spans = tuple(Span(one, "critical" if style else "", typed=typed) for one, style, typed in said)
    [paragraph] = each(parsed(page(spans)), "p")
    assert words(paragraph) == plain(spans)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "</p><img src=x onerror=y>", "&lt;b&gt;", '"><a href=', "\x1b[31m\u202e"]
)
def test_a_tag_in_a_name_is_a_name(hostile: str) -> None:
    root = parsed(page(hostile, text(Span(hostile, "strong"), to_type(hostile))))
    assert {one.tag for one in root.iter()} == {"html", "head", "title", "body", "p", "span", "code"}
    [paragraph] = each(root, "p")
    assert words(paragraph) == 3 * plain((Span(hostile),))


def test_a_secret_is_hidden_here_too() -> None:
    assert HIDDEN in page("password=hunter2")
    assert "hunter2" not in page("password=hunter2")


@pytest.mark.parametrize("value", ["<b>", 'x" onload="y', "a&b", "ä", "(x)", "url(x)\n"])
def test_an_attribute_takes_no_text(value: str) -> None:
    with pytest.raises(ValueError, match="an attribute holds text"):
        element("p", value)


def test_numbers_and_names_of_attributes() -> None:
    found = element("rect", "", x=1.25, width=2.0, http_equiv="x")
    assert found.attrib == {"x": "1.2", "width": "2", "http-equiv": "x"}


def test_a_command_is_code_and_whole_and_a_sentence_is_none() -> None:
    command = "runbook undo 20261129T230850Z-sgtt --step 'a b'  --dry-run"
    root = parsed(
        page(text(to_type(command), "hint: do runbook resume R1; runbook audit verify lists it; no runbook cures it"))
    )
    assert [words(one) for one in each(root, "code")] == [command, "runbook resume R1"]


@pytest.mark.parametrize("said", ["runbook run x --reason a trial", "runbook run x --identity=/tmp/id --yes"])
def test_a_command_is_never_cut_in_two(said: str) -> None:
    assert [words(one) for one in each(parsed(page(text(said))), "code")] in ([], [said])


def test_nobody_else_writes_text_into_an_element() -> None:
    """But for the style, which is ours to the last letter."""
    found = []
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else []
            written = [one for one in targets if isinstance(one, ast.Attribute) and one.attr in ("text", "tail")]
            found += [(path.name, ast.unparse(one)) for one in written]
    assert sorted(found) == [
        ("element.py", "parent.text"),
        ("element.py", "parent[-1].tail"),
        ("page.py", "sheet.text"),
    ]
