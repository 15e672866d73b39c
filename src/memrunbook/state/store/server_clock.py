"""The clock of a store that is a server, and how far that of this node is from it."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.state.store.changes import Store
from memrunbook.state.store.database import explained, reading

MOST = 10.0
"""Seconds that two control nodes may be apart: who was heard of lately is judged by its own clock and by another's."""
HINT = f"set it by a time server (chronyc tracking, timedatectl): control nodes must agree within {MOST:.0f} s"


def refuse_wrong_clock(store: Store, now: Callable[[], Instant]) -> None:
    """Refused where this node's clock is so wrong that others would take it for dead; JournalError as the store's."""
    if store.engine.dialect.name == "sqlite":
        return
    with explained(store.name), reading(store.engine) as connection:
        begin = now().utc
        server = float(connection.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())")) or 0.0)
        apart = (begin + now().utc) / 2 - server
    if abs(apart) > MOST:
        way = "ahead of" if apart > 0 else "behind"
        raise Refused(f"the clock of this node is {abs(apart):.0f} s {way} that of the store", hint=HINT)
