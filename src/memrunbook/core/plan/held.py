"""What is held on a host, in words: an incident that only our own hold keeps away is held back, not over."""

from __future__ import annotations

from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import format_duration

HOLDS = "holds.all"
LOST = "what was to take it back is gone, so it stays until somebody does"
OVERDUE = "its time is over and the host has not taken it back: look at it"


def held_words(snapshot: Snapshot) -> tuple[str, ...]:
    """A sentence for each state that is held, what is frozen first; none where nothing is, or it is not known."""
    holds = snapshot.value(HOLDS)
    return () if isinstance(holds, Unavailable) else tuple(map(words_of, holds))


def words_of(hold: Any) -> str:
    """A sentence that says what is held, by whom and until when."""
    frozen = hold.kind == "frozen"
    state = f"{hold.name} is frozen and does nothing" if frozen else f"{hold.name} is changed for a while"
    if not hold.ours:
        return f"{state}: somebody froze it, and nothing thaws it by itself (systemctl thaw, docker unpause)"
    since = format_duration(hold.since_seconds or 0.0)
    way = "thaws it" if frozen else "takes it back"
    back = f"the host {way} in {format_duration(hold.left_seconds)}" if hold.left_seconds else OVERDUE
    if hold.lost:
        back = f"{LOST}: runbook undo {hold.run}"
    by = f"by run {hold.run}" + (f" of {hold.runbook}" if hold.runbook else "")
    what = "" if frozen else f" ({hold.what})"
    return f"{state}{what}, {by} {since} ago; {back}"
