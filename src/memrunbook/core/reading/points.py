"""The points that a reading of a host leaves for the history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memrunbook.core.reading.fact import Fact
from memrunbook.core.reading.figures import Figure, Holders
from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.reading.snapshot import Snapshot

LONGEST_NAME = 255
"""Characters of a holder's name that are kept; a control group's path may be longer."""
DIGITS = 16


def kept_name(name: str) -> str:
    """The name that a holder has in the history: of a longer one its beginning, and a digest that tells it apart."""
    name = _storable(name)
    if len(name) <= LONGEST_NAME:
        return name
    from hashlib import sha256

    digest = sha256(name.encode()).hexdigest()[:DIGITS]
    return f"{name[: LONGEST_NAME - DIGITS - 1]}-{digest}"


def series_of(snapshot: Snapshot, facts: Mapping[str, Fact]) -> tuple[Series, ...]:
    """The points that a reading of a host leaves, one in each series. What could not be read leaves none."""
    at, boot = snapshot.taken_at.utc, snapshot.identity.boot_id
    found: list[Series] = []
    for name in snapshot.readings:
        reading = snapshot.reading(name)
        for kept in facts[name].history if name in facts else ():
            if isinstance(kept, Figure):
                found += _of_figure(name, kept, reading, at, boot)
            else:
                found += _of_holders(name, kept, reading, at, boot)
    return tuple(found)


def _of_figure(fact: str, kept: Figure, reading: object, at: float, boot: str) -> Iterator[Series]:
    value = _number(reading, kept.path)
    if value is not None:
        limit = _number(reading, kept.limit) if kept.limit else None
        yield Series(kept.kind, "", f"{fact}.{kept.path}", (Observation(at, value, boot, limit),))


def _of_holders(fact: str, kept: Holders, reading: object, at: float, boot: str) -> Iterator[Series]:
    items = [item for item in _field(reading, kept.path) or () if _is_kept(kept, item)]
    first = next(iter(kept.figures.values()))
    for item in sorted(items, key=lambda item: _sum(item, first) or 0.0, reverse=True)[: kept.most]:
        name = kept_name(_words(item, kept.name))
        life = _words(item, kept.life) if kept.life else boot
        limit = _number(item, kept.limit) if kept.limit else None
        for figure, fields in kept.figures.items():
            value = _sum(item, fields)
            if name and value is not None:
                yield Series(kept.kind, name, f"{fact}.{figure}", (Observation(at, value, life, limit),))


def _is_kept(kept: Holders, item: object) -> bool:
    if kept.only is not None and _field(item, kept.only[0]) not in kept.only[1]:
        return False
    return kept.least is None or (_number(item, kept.least[0]) or 0.0) >= kept.least[1]


def _sum(item: object, fields: tuple[str, ...]) -> float | None:
    """The sum of what is known; None where the first is not."""
    first, *others = (_number(item, field) for field in fields)
    return None if first is None else first + sum(other or 0.0 for other in others)


def _words(item: object, fields: tuple[str, ...]) -> str:
    return _storable(":".join(str(_field(item, field)) for field in fields))


def _storable(text: str) -> str:
    """Text as a database takes it: hosts may say anything."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _number(value: object, path: str) -> float | None:
    found = _field(value, path)
    return float(found) if isinstance(found, int | float) else None


def _field(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = getattr(value, part, None)
    return value
