"""One pool of connections a server for all of this process: a hundred runs at once do not ask for one each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

FEW, MORE = 5, 10
"""Connections that are kept, and that are made besides while all of those are in use."""


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
