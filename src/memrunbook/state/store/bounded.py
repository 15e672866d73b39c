"""A session on a server that hangs: who is asked and says nothing for too long is left, though its machine is there."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class BoundedSession(psycopg.Connection[Any]):
    """A connection each of whose waits is bounded; the server's own timeouts are kept by a server that is well."""

    longest: float = 20.0
    """Seconds."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:
        """Waits for what was asked; OperationalError where that takes too long, and the connection is closed then.

        psycopg wakes this at each interval in which nothing came (its C code since 3.2.11), so that time is seen.
        """
        return super().wait(self._within(gen), *args, **options)

    def _within(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        until = time.monotonic() + self.longest
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and time.monotonic() > until:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer within {self.longest:.0f} s")
                state = gen.send(ready)
        except StopIteration as end:
            found: T = end.value
            return found
