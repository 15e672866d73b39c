"""Reads numbers of hosts in config.yaml: sizes of batches, and how many may fail."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from memrunbook.core.errors import Problem, UsageError
from memrunbook.core.run.batches import share
from memrunbook.documents.source import Path, Source

NumberOfHosts = Annotated[int | str, Meta(description="a number of hosts, or percent of all, as in 1 or 10%")]
Numbers = NumberOfHosts | tuple[NumberOfHosts, ...] | None


def numbers(source: Source, at: Path, given: Numbers, problems: list[Problem]) -> tuple[str, ...]:
    """The words that stand there; what is none is added to the problems."""
    places = [(*at, number) for number in range(len(given))] if isinstance(given, tuple) else [at]
    words = tuple(str(one) for one in (given if isinstance(given, tuple) else () if given is None else (given,)))
    for place, word in zip(places, words, strict=False):
        try:
            share(word, "")
        except UsageError as error:
            problems.append(Problem(source.where(place), error.message, error.hint))
    return words
