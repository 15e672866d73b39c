"""One pool of connections a server for all of this process: a hundred runs at once do not ask for one each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError

FEW, MORE = 5, 10
"""Connections that are kept, and that are made besides while all of those are in use."""
RESTED = 1.0
"""Seconds after which a connection that nobody used is asked whether it still stands, before anybody uses it."""


@dataclass
class _Shared:
    engine: sa.Engine
    users: int = 0


_SHARED: dict[sa.URL, _Shared] = {}
_TURN = threading.Lock()


def shared(where: sa.URL, make: Callable[[], sa.Engine]) -> sa.Engine:
    """The engine of a server, made where there is none yet; whoever has it lets it go."""
    with _TURN:
        if where not in _SHARED:
            _SHARED[where] = _Shared(make())
        found = _SHARED[where]
        found.users += 1
    return found.engine


def let_go(engine: sa.Engine) -> None:
    """Says that it is not needed here any more; the last one closes its connections."""
    with _TURN:
        where, found = next((item for item in _SHARED.items() if item[1].engine is engine), (None, None))
        if where is not None and found is not None:
            found.users -= 1
            if found.users:
                return
            del _SHARED[where]
    engine.dispose()


def ask_what_rested(engine: sa.Engine) -> None:
    """Has a connection that rested asked first whether it stands; one in constant use tells by its answers."""

    @sa.event.listens_for(engine, "checkin")
    def _used(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _asked(connection: Any, record: Any, _pooled: Any) -> None:
        now = time.monotonic()
        if now - record.info.get("used", now) > RESTED:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                if engine.dialect.is_disconnect(error, connection, None):
                    raise InvalidatePoolError from None  # the others were made by the same server
                raise DisconnectionError from None
