"""A worker's link to its server: what is asked, whether it answers, and since when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from memrunbook.runtime.jobs import TellAway
from memrunbook.state.queue_tables import said

PATIENCE = 5.0
"""Seconds that a question waits for a connection."""
SOON, LATE = 0.1, 2.0
"""Seconds before a question is asked again that had no answer: at first, and at most."""
CONNECTIONS = 2


def pool(words: Mapping[str, Any]) -> AsyncConnectionPool:
    """The connections of a worker's questions; not open yet."""
    return AsyncConnectionPool(
        kwargs=dict(words),
        min_size=1,
        max_size=CONNECTIONS,
        open=False,
        timeout=PATIENCE,
        reconnect_timeout=PATIENCE,
        check=AsyncConnectionPool.check_connection,
    )


@dataclass
class ServerLink:
    """The server as a worker knows it; `silence` is how many seconds without a sign of life are death."""

    pool: AsyncConnectionPool
    away: TellAway
    silence: float
    back: Callable[[], object] = lambda: None
    """Called when the server answers again."""
    why: str = ""
    """Why it does not answer; empty where it does."""
    _judges_from: float = field(default=0.0, init=False)

    async def ask(self, statement: LiteralString, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """One question, a transaction of its own."""
        async with self.pool.connection() as connection:
            rows = await (await connection.execute(statement, values)).fetchall()
        self.answered()
        return rows

    async def lasting(self, statement: LiteralString, values: Mapping[str, Any], stop: threading.Event) -> None:
        """Asks until the server answers; once told to stop not for ever: others find such a job stalled."""
        delay, asked = SOON, 0.0
        while True:
            try:
                await self.ask(statement, values)
            except psycopg.Error as error:
                self.lost(error)
            else:
                return
            if stop.is_set() and (asked := asked + delay) > self.silence:
                return
            await asyncio.sleep(delay)
            delay = min(2 * delay, LATE)

    def lost(self, error: BaseException) -> None:
        """The server does not answer, or not as it should."""
        if not self.why:
            self.why = said(error)
            self.away(self.why)

    def answered(self) -> None:
        """The server answers. After it was away, others are given time for a sign of life before they are judged."""
        if self.why:
            self.why = ""
            self._judges_from = asyncio.get_running_loop().time() + self.silence
            self.away("")
            self.back()

    @property
    def may_judge(self) -> bool:
        """False where the silence of others may be the server's own."""
        return asyncio.get_running_loop().time() >= self._judges_from
