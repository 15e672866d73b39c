"""What is drawn and not written: numbers over time, and shares of a whole; each says in words what it shows."""

from __future__ import annotations

from typing import NamedTuple

from memrunbook.core.reading.series import Observation
from memrunbook.core.units import Unit


class StepMark(NamedTuple):
    """A step at its time, in seconds since 1970: its number in the report; `ended` is None where that is not known."""

    number: int
    begun: float
    ended: float | None = None


class Chart(NamedTuple):
    """A number over time; `said` are its words for whoever cannot see it. `joined`: the points are one line."""

    title: str
    said: str
    unit: Unit
    points: tuple[Observation, ...]
    marks: tuple[StepMark, ...] = ()


class Slice(NamedTuple):
    """A part of a whole: its size in bytes, and who holds most of it. `spare` is held by nobody."""

    name: str
    size: int
    detail: str = ""
    spare: bool = False


class Stack(NamedTuple):
    """Parts of one whole, in bytes, one behind the other."""

    title: str
    said: str
    whole: int
    parts: tuple[Slice, ...]


class Bars(NamedTuple):
    """Sizes beside one another, in bytes, each as long as it is of the largest."""

    title: str
    said: str
    parts: tuple[Slice, ...]


Drawn = Chart | Stack | Bars
