"""Where the memory is, and where it was when the OOM killer came, as pictures of the very numbers that are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from memrunbook.core.run.event import WHERE
from memrunbook.core.units import format_bytes
from memrunbook.linux.oomlog.account import OomAccount, OomHolder, OomKilled
from memrunbook.linux.places import FREE, Place, shown, size_of
from memrunbook.ui.picture import Bars, Drawn, Slice, Stack

MOST = 8
"""Parts with a colour of their own; what is smaller is one part together."""
REST = "all else"


def memory_picture(values: Mapping[str, Any], when: str) -> list[Drawn]:
    """Where the RAM of a host is, by the metrics of `WHERE`; nothing where they were not read."""
    total, _, places = (values.get(metric) for metric in WHERE)
    if not isinstance(total, int) or not isinstance(places, Sequence) or not total:
        return []
    found = [msgspec.convert(place, Place, from_attributes=True) for place in places]
    parts = [Slice(name, size, _of(inner)) for name, size, inner in shown(found)]
    return [_stack(f"Where the memory is {when}", total, parts, size_of(found, FREE), "RAM")]


def event_pictures(told: OomAccount) -> list[Drawn]:
    """Where the memory was when the kernel killed, and who held it."""
    pictures: list[Drawn] = []
    if told.total_bytes and told.places:
        whose = "all that its group used" if told.of_group else "RAM"
        parts = [Slice(one.name, one.size_bytes, one.detail) for one in told.places if one.name != FREE]
        free = sum(one.size_bytes for one in told.places if one.name == FREE)
        pictures.append(_stack("Where the memory was when the OOM killer came", told.total_bytes, parts, free, whose))
    holders = [part for part in _holders(told) if part.size]
    if holders:
        said = "; ".join(f"{part.name}: {format_bytes(part.size)}, {part.detail}" for part in holders)
        pictures.append(Bars("Who held it", f"{said}.", tuple(holders)))
    return pictures


def _of(parts: Sequence[Place]) -> str:
    return ", ".join(f"{part.name} {format_bytes(part.bytes)}" for part in parts)


def _stack(title: str, total: int, parts: Sequence[Slice], free: int, whose: str) -> Stack:
    """The parts, the largest first, then what is free; what the parts do not say stands as a part of its own."""
    ordered = sorted(parts, key=lambda part: part.size, reverse=True)
    kept, small = ordered[: MOST - 1], ordered[MOST - 1 :]
    left = total - free - sum(part.size for part in kept)
    rest = max(left, 0) if not small else max(left, sum(part.size for part in small))
    named = ", ".join(part.name for part in small)
    kept += [Slice(REST, rest, named)] if rest else []
    kept += [Slice(FREE, free, spare=True)] if free else []
    said = ", ".join(f"{part.name} {format_bytes(part.size)}" for part in kept)
    return Stack(f"{title}: {format_bytes(total)}, {whose}", f"{said}.", total, tuple(kept))


def _holders(told: OomAccount) -> Iterator[Slice]:
    """The victims, who was larger, and who would be next."""
    yield from (Slice(f"{one.name}, pid {one.pid}", _held(one), _fate(told)) for one in told.killed)
    yield from (_holder(one, "held most and was left alone") for one in told.hog)
    yield from (_holder(one, "would be killed next") for one in told.following)


def _fate(told: OomAccount) -> str:
    return told.fate.replace("reaped", "killed") or "chosen"


def _held(one: OomKilled) -> int:
    parts = (one.anonymous_bytes or 0) + (one.file_bytes or 0) + (one.shared_bytes or 0)
    return parts or one.held_bytes or 0


def _holder(one: OomHolder, what: str) -> Slice:
    many = f"{one.count:,} {one.name} together" if one.count > 1 else one.name
    return Slice(f"{many}, pid {one.pid}" if one.pid is not None else many, one.memory_bytes, what)
