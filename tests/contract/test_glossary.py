"""docs/glossary.md has each word that a user meets in the output, once, shortly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from memrunbook.core.action.action import Risk
from memrunbook.core.run.event import Outcome, StepState

PAGE = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text("utf-8")
ENTRY = re.compile(r"^- \*\*(.+?)\*\*: (.+)$", re.MULTILINE)
WORDS = dict(ENTRY.findall(PAGE))
MOST_LETTERS = 330


def test_each_entry_is_one_line_and_each_word_stands_once() -> None:
    assert len(ENTRY.findall(PAGE)) == len(re.findall(r"^- ", PAGE, re.MULTILINE)) > 60
    words = [word for entry in ENTRY.findall(PAGE) for word in entry[0].split(", ")]
    assert len(words) == len(set(words))


def test_it_is_short() -> None:
    plain = {words: re.sub(r"\]\([^)]*\)", "]", said) for words, said in WORDS.items()}
    assert {words: len(said) for words, said in plain.items() if len(said) > MOST_LETTERS} == {}


def test_the_words_are_in_order() -> None:
    for section in PAGE.split("\n## ")[1:]:
        words = [found.lower() for found, _ in ENTRY.findall(section)]
        assert words == sorted(words)


@pytest.mark.parametrize("word", sorted({*get_args(Outcome), *get_args(StepState)}))
def test_each_way_in_which_a_run_or_a_step_ends_is_explained(word: str) -> None:
    assert re.search(rf"(?i)\b{word.replace('_', ' ')}\b", PAGE)


def test_each_risk_is_named() -> None:
    assert [risk.name.lower() for risk in Risk if risk.name.lower() not in WORDS["risk"]] == []
