"""Answers and the questions that they are to: which belong to a question, and what one sample has of another."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection

from msgspec import structs

from memrunbook.core.reading.fact import Detail, Question, Read, Sample, Walk, Whole
from memrunbook.core.reading.probe import is_pattern


def under(old: Sample, new: Sample, asks: Collection[Question]) -> Sample:
    """The old sample's counters with the new one's answers to everything that is read once only.

    The details of a walk belong to that walk: they hold counters too.
    """
    own = repeated(asks) | details(asks)
    plain = {key_of(ask) for ask in own if not asks_pattern(ask)}
    patterns = [ask for ask in own if asks_pattern(ask)]

    def counts(key: str) -> bool:
        return key in plain or any(answers(ask, key) for ask in patterns)

    counters = {key: answer for key, answer in old.answers.items() if counts(key)}
    once = {key: answer for key, answer in new.answers.items() if not counts(key)}
    return structs.replace(old, answers={**once, **counters}, complete=old.complete and new.complete)


def repeated(asks: Collection[Question]) -> frozenset[Question]:
    """Those that are asked at every sample."""
    return frozenset(ask for ask in asks if isinstance(ask, Read | Walk) and ask.each)


def details(asks: Collection[Question]) -> frozenset[Question]:
    """Those that ask more about what a walk found."""
    return frozenset(ask for ask in asks if isinstance(ask, Detail))


def with_details(later: Sample, whole: Sample, asks: Collection[Question]) -> Sample:
    """A later sample with the details of the walk before it: what it left out of them did not move."""
    names = {key_of(ask) for ask in details(asks)}
    carried = {key: answer for key, answer in whole.answers.items() if key in names}
    return structs.replace(later, answers={**carried, **later.answers})


def key_of(ask: Question) -> str:
    """Under what it is answered; of a pattern each file is, under its path."""
    return ask.path if isinstance(ask, Read | Whole) else ask.name


def asks_pattern(ask: Question) -> bool:
    """True for a pattern of files: without an answer there is none."""
    return isinstance(ask, Read | Whole) and is_pattern(ask.path)


def answers(ask: Question, key: str) -> bool:
    """True where what stands under this key answers the question."""
    return fnmatch.fnmatchcase(key, ask.path) if isinstance(ask, Read | Whole) else key == ask.name
