"""Turns plain values into a type, or says everything that is wrong with them in plain words, with the place of each."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from memrunbook.core import units
from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.text import clean
from memrunbook.documents.forms import not_of_form
from memrunbook.documents.source import Path, Source

T = TypeVar("T")
FAILURE = re.compile(r"(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
KEY = re.compile(r"Expected `str` matching regex '(?P<message>.*)' - at `key` in `\$(?P<path>.*)`", re.DOTALL)
PART = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


def convert(source: Source, data: object, kind: type[T], at: Path = ()) -> T:
    """`data`, which stands at the path `at` of a file, as a value of `kind`; DocumentError with every problem.

    Nothing is coerced. Sizes and durations are text with a unit.
    """
    try:
        return msgspec.convert(data, kind, dec_hook=units.decode)
    except msgspec.ValidationError as error:
        found = _every(source, data, kind, at) or [_only(source, str(error), at)]
        raise DocumentError(found) from None


def _every(source: Source, data: object, kind: object, at: Path) -> list[Problem]:
    from memrunbook.documents.faults import faults  # jsonschema costs 125 ms: only a refused document pays for it

    found = []
    for fault in faults(data, kind):
        place = source.where_key if fault.key else source.where
        found.append(Problem(place((*at, *fault.path)), fault.message, fault.hint))
    return sorted(found, key=_line_and_column)


def _line_and_column(problem: Problem) -> tuple[int, int]:
    _, line, column = problem.where.rsplit(":", 2)
    return int(line), int(column)


def _only(source: Source, failure: str, at: Path) -> Problem:
    """What a type's own check said: its words are ours, the place at their end is msgspec's."""
    key = KEY.fullmatch(failure)
    match = key or FAILURE.fullmatch(failure)
    message, inside = (match["message"], match["path"] or "") if match else (failure, "")
    path = tuple(int(number) if number else name for number, name in PART.findall(inside))
    message = f"a key of this {not_of_form(message)}" if key else message
    return Problem(source.where((*at, *path)), clean(message))
