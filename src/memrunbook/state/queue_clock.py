"""The clock of the queue's server, and how far that of this node is from it."""

from __future__ import annotations

import time
from collections.abc import Callable

from memrunbook.core.errors import Refused

MOST = 10.0
"""Seconds that two control nodes may be apart: who was heard of lately is judged by its own clock and by another's."""
HINT = f"set it by a time server (chronyc tracking, timedatectl): control nodes must agree within {MOST:.0f} s"


def refuse_wrong_clock(server: Callable[[], float]) -> None:
    """Refused where this node's clock is so wrong that others would take it for dead; `server` asks that one's time.

    Seconds since 1970.
    """
    begin = time.time()
    there = server()
    apart = (begin + time.time()) / 2 - there
    if abs(apart) > MOST:
        way = "ahead of" if apart > 0 else "behind"
        raise Refused(f"the clock of this node is {abs(apart):.0f} s {way} that of the store", hint=HINT)
