"""Writes figures about ourselves as Prometheus reads them: its text format, version 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from memrunbook.core.text import clean

NAME = re.compile(r"memrunbook_[a-z][a-z0-9_]*")
LONGEST = 200
"""Characters of a label's value."""
MOST = 1000
"""Lines of one family: each is a series that the server keeps. What is left out is counted in LEFT_OUT."""
LEFT_OUT = "memrunbook_series_left_out"


class FigureFamily(NamedTuple):
    """Figures of one name; each stands behind its labels. Of too many the largest are kept, or those that are least."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    figures: Mapping[tuple[tuple[str, str], ...], float]
    least_first: bool = False


def labelled(**labels: str) -> tuple[tuple[str, str], ...]:
    """The labels of a figure."""
    return tuple(labels.items())


def exposition(families: Iterable[FigureFamily]) -> str:
    """The text, families in the order of their names; ValueError for a name that is none of ours."""
    found = sorted(families, key=lambda one: one.name)
    left = {labelled(family=one.name): float(more) for one in found if (more := len(one.figures) - MOST) > 0}
    count = FigureFamily(
        LEFT_OUT, "gauge", f"Series that were left out since there were more than {MOST} of one name.", left
    )
    return "".join(line for one in (*found, count) for line in _lines(one))


def _lines(family: FigureFamily) -> Iterator[str]:
    if NAME.fullmatch(family.name) is None:
        raise ValueError(f"{family.name!r} is no name for a figure")
    told = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {told}\n# TYPE {family.name} {family.kind}\n"
    shown: dict[str, float] = {}
    sign = 1.0 if family.least_first else -1.0
    kept = sorted(family.figures.items(), key=lambda one: (sign * one[1], one[0]))[:MOST]
    for labels, value in sorted(kept):
        inside = ",".join(f'{name}="{_escaped(said)}"' for name, said in labels)
        shown.setdefault(f"{{{inside}}}" if inside else "", value)  # twice the same would spoil all: cut, two are alike
    yield from (f"{family.name}{inside} {value:.15g}\n" for inside, value in shown.items())


def _escaped(value: str) -> str:
    """A label's value: what is no plain text in it is written out before, and again nothing can end the quote."""
    return clean(value, LONGEST).replace("\\", r"\\").replace('"', r"\"")
