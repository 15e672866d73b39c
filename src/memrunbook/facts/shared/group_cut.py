"""Which control groups the walk left out, and what is certain of those."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.core.reading.fact import Cut
from memrunbook.core.units import format_bytes
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared.group_walk import LEVELS, MOST_SEEN, MOST_SHOWN

SIZES = (
    "usage_bytes",
    "anonymous_bytes",
    "file_bytes",
    "shared_bytes",
    "kernel_bytes",
    "unreclaimable_slab_bytes",
    "dirty_bytes",
    "working_set_bytes",
)
"""What is a part of a group's usage."""
PLAIN = (".service", ".scope")
NEAR_PERCENT = 85.0
"""Groups that use so much of a limit come first."""


def group_cut(groups: Sequence[Group], seen: int, version: int, small: int | None) -> Cut | None:
    """What the list leaves out; None where the walk has shown every group.

    `small` is what a group without a limit must hold to be shown, and a service or scope for the walk to look into it;
    None where the walk did not say.
    """
    left, full = seen - len(groups), len(groups) >= MOST_SHOWN or seen >= MOST_SEEN
    closed = [one for one in groups if _is_closed(one, version, small)]
    if left <= 0 and not full and not closed:
        return None
    sized = small is not None and not full and version > 1 and not any(map(_is_deep, groups))
    holds = f", each of less than {format_bytes(small)}" if sized and small is not None else ""
    why = f"{left} smaller control groups are not in the list{holds} ({seen} in all)"
    if left <= 0:
        why = f"control groups within small or deep ones are not looked for{holds}"
    return Cut(why, dict.fromkeys(SIZES, float(small)) if sized and small is not None else {})


def pressed_cut(groups: Sequence[Group]) -> Cut | None:
    """Those near their limit come first: only where they fill the list, some are left out."""
    if len(groups) < MOST_SHOWN or not all((one.usage_percent or 0.0) >= NEAR_PERCENT for one in groups):
        return None
    return Cut(f"more than {MOST_SHOWN} control groups are near their limits: not all were read")


def _is_closed(group: Group, version: int, small: int | None) -> bool:
    """True for a group in which the walk has not looked for others."""
    if not group.path.endswith(PLAIN):
        return _is_deep(group)
    return version == 1 or small is None or (group.usage_bytes or 0) < small or _is_deep(group)


def _is_deep(group: Group) -> bool:
    return group.path.count("/") >= LEVELS
