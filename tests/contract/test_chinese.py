"""The Chinese pages say what the English ones say: the same sections, commands, tables and links."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHINESE = ROOT / "docs" / "zh"
ENGLISH = {
    CHINESE / "README.md": ROOT / "README.md",
    CHINESE / "tutorial" / "first-incident.md": ROOT / "docs" / "tutorial" / "first-incident.md",
}
MEASURED = re.compile(r"<!-- bench-peers: begin.*?bench-peers: end -->", re.DOTALL)
"""Stands on the English page alone: it is written anew with each measurement."""
COMMENT = re.compile(r"\s+#\s.*")
PAIRS = [pytest.param(page, english, id=page.name) for page, english in ENGLISH.items()]


def text_of(page: Path) -> str:
    return MEASURED.sub("", page.read_text("utf-8"))


def code(page: Path) -> list[str]:
    """Every line of code without its comment."""
    text = text_of(page)
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    fenced = [line for block in blocks for line in block.splitlines()]
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return [COMMENT.sub("", line) for line in [*indented, *fenced]]


def inline(page: Path) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text_of(page)))


def levels(page: Path) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", text_of(page), re.MULTILINE)]


def tables(page: Path) -> list[str]:
    """The first cell of each row that is code or a number: what a row is about."""
    return re.findall(r"^\| (`[^`]+`|none|low|medium|high) \|", text_of(page), re.MULTILINE)


def links(page: Path) -> set[str]:
    """Where it links to, from the root; a Chinese page that there is counts as the English one."""
    chinese = {str(page.relative_to(ROOT)): str(other.relative_to(ROOT)) for page, other in ENGLISH.items()}
    found = set()
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            place = str((page.parent / path).resolve().relative_to(ROOT)) if path else str(page.relative_to(ROOT))
            found.add(chinese.get(place, place) + (f"#{anchor}" if anchor else ""))
    return found


def of_one_another(page: Path, english: Path) -> set[str]:
    """Links between the languages, and to what stands on the English page alone."""
    own = str(english.relative_to(ROOT))
    return {one for one in links(page) | links(english) if one.partition("#")[0] == own}


def test_every_chinese_page_has_its_english_one() -> None:
    assert set(CHINESE.rglob("*.md")) == set(ENGLISH)


@pytest.mark.parametrize(("page", "english"), PAIRS)
def test_the_sections_are_the_same(page: Path, english: Path) -> None:
    assert levels(page) == levels(english)
    assert tables(page) == tables(english)


@pytest.mark.parametrize(("page", "english"), PAIRS)
def test_the_commands_are_the_same(page: Path, english: Path) -> None:
    assert code(english)
    assert code(page) == code(english)
    assert inline(page) == inline(english)


@pytest.mark.parametrize(("page", "english"), PAIRS)
def test_the_links_are_the_same(page: Path, english: Path) -> None:
    both = of_one_another(page, english)
    assert links(page) - both == links(english) - both
    for target in links(page):
        assert (ROOT / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize(("page", "english"), PAIRS)
def test_each_leads_to_the_other(page: Path, english: Path) -> None:
    for one, other in ((page, english), (english, page)):
        assert f"]({os.path.relpath(other, one.parent)})" in one.read_text("utf-8")


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.name)
def test_it_is_chinese(page: Path) -> None:
    """A sentence that was left in English is found: outside of code and links no six English words stand in a row."""
    prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"`[^`\n]*`|\]\([^)]*\)|<!--.*?-->|^    .*$", "", prose, flags=re.MULTILINE)
    assert re.findall(r"(?:[A-Za-z]+[ ,]+){5,}[A-Za-z]+", prose) == []
