"""Reads `notify` of config.yaml: who is told what happens while nobody sits at the keyboard."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import structs

from memrunbook.core.errors import Problem
from memrunbook.core.units import DAY, MINUTE, format_duration
from memrunbook.documents.source import Source
from memrunbook.receivers import AnyReceiver

RANGES = {"deadline": (1.0, float(MINUTE)), "repeat": (float(MINUTE), 30.0 * DAY)}
"""The shortest and the longest time of each, in seconds."""

CERTIFICATES = "ca_file"
"""The only file of a receiver that everybody may read."""


def receivers_of(
    source: Source, folder: Path, given: tuple[AnyReceiver, ...], problems: list[Problem]
) -> tuple[AnyReceiver, ...]:
    """The receivers, their files made absolute; what is wrong with one is added to the problems."""
    names = [one.name for one in given]
    for number, one in enumerate(given):
        at = ("notify", number)
        if names.index(one.name) != number:
            what = f"two receivers are called {one.name}"
            problems.append(Problem(source.where((*at, "name")), what, "give each a name of its own"))
        if what := one.problem():
            problems.append(Problem(source.where(at), what))
        problems += _out_of_range(source, at, one)
    return tuple(_located(folder, one) for one in given)


def not_ready(given: Iterable[AnyReceiver]) -> Iterator[str]:
    """What receivers need and this machine does not have: seen before the night in which they are needed."""
    for one in given:
        for name, value in structs.asdict(one).items():
            if name.endswith("_file") and value and not os.path.lexists(value):
                yield f"{one.name} is not told of anything: {name} {value} is not there"
            elif name.endswith("_file") and name != CERTIFICATES and value and _lies_open(value):
                yield f"{one.name} is not told of anything: everybody may read {name} {value}: chmod o= {value}"
            elif name == "command" and not os.access(value[0], os.X_OK):
                yield f"{one.name} is not told of anything: {value[0]} cannot be started"


def _lies_open(path: str) -> bool:
    try:
        return bool(Path(path).stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _out_of_range(source: Source, at: tuple[str | int, ...], one: AnyReceiver) -> Iterator[Problem]:
    for name, (least, most) in RANGES.items():
        value = float(getattr(one, name))
        if not least <= value <= most:
            words = f"must be from {format_duration(least)} to {format_duration(most)}, is {format_duration(value)}"
            yield Problem(source.where((*at, name)), words)


def _located(folder: Path, one: AnyReceiver) -> AnyReceiver:
    """The same, the files that it names beside config.yaml where they are not absolute."""
    files = {name: value for name, value in structs.asdict(one).items() if name.endswith("_file") and value}
    absolute = {name: str(folder.absolute() / Path(value).expanduser()) for name, value in files.items()}
    return structs.replace(one, **absolute)
