"""What the lists of processes leave out, and what is certain of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from memrunbook.core.reading.fact import Cut
from memrunbook.core.units import format_bytes
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.process_walk import LISTED

SIZES = ("rss_bytes", "anonymous_bytes", "file_bytes", "shared_bytes")
"""Parts of the resident memory, by which the walk sorts: none is larger than the whole."""
NONE_AT_ALL = math.ulp(0.0)
"""Less than this is 0."""
HIDDEN = Cut("the processes of other users are hidden from this user (hidepid): read as root")


class Unlisted(NamedTuple):
    """How far the list goes: `left` processes of `seen` are not in it; `least` as in `Processes.least_bytes`.

    `swapped` is whether a part of those may be in swap, None for a walk that did not say; `pids` are those that they
    may have, None where that is not known.
    """

    seen: int
    left: int
    least: int | None
    swapped: bool | None
    hidden: bool | None
    pids: tuple[int, ...] | None

    @property
    def complete(self) -> bool:
        """True where nobody is left out."""
        return self.least == 0 and not self.hidden

    @property
    def cut(self) -> Cut | None:
        """What the list itself leaves out; None for nothing."""
        if self.complete or self.hidden:
            return HIDDEN if self.hidden else None
        below, rest = {}, "and how large they are is not known"
        if self.least is not None and self.swapped is not None:
            resident = float(self.least / 2 if self.swapped else self.least)
            below = dict.fromkeys(SIZES, resident)
            # Which of its pages are in swap the kernel tells only of each process; without swap in use there are none.
            below |= {} if self.swapped else {"swap_bytes": NONE_AT_ALL}
            rest = f"each of less than {format_bytes(self.least)}"
        smaller = "smaller " if below else ""
        why = f"{self.left} {smaller}processes are not in the list, {rest} ({self.seen} in all)"
        return Cut(why, below, among={} if self.pids is None else {"pid": self.pids})


def extent_of(
    head: Mapping[str, str], tail: Mapping[str, str], details: str, found: set[int], *, hidden: bool | None
) -> Unlisted | None:
    """Reads the first and the last lines of a walk that has found these pids; None for one that is cut short."""
    seen = numbers.whole(tail.get("seen", ""))
    if seen is None:
        return None
    said = tail.get("least", "").split(" ")
    listed = details.rstrip("\n").rpartition("\n")[2] == LISTED
    size = numbers.whole(said[0] if listed else "".join(said[1:2]))
    least = None if size is None else numbers.fits(size * numbers.KIB)
    least = 0 if least is None and len(found) >= seen else least
    left = max(seen - len(found), 0) if least != 0 else 0
    pids = _left_out(head, found) if left else ()
    swapped = "swapped" in said if pids is not None else None
    return Unlisted(seen, left, least, swapped, hidden, pids)


def _left_out(head: Mapping[str, str], found: set[int]) -> tuple[int, ...] | None:
    """The pids of those that are not in the list; None for a walk of an earlier version, which does not print them."""
    if "pids" not in head:
        return None
    every = {int(word) for word in head["pids"].split() if numbers.is_whole(word)}
    nobody = {int(word) for word in head.get("none", "").split() if numbers.is_whole(word)}
    return tuple(sorted(every - nobody - found))
