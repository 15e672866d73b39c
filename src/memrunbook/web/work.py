"""Carries out what reads files and databases beside the server: one after the other, and few may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
MOST_WAITING = 32


class BusyError(Exception):
    """More is asked for than is carried out."""


@dataclass
class Work:
    """One thread. Use cases read types and databases that two threads at once must not."""

    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "pages"))
    _waiting: int = 0

    async def do(self, what: Callable[[], T]) -> T:
        """Its result; BusyError where too many wait already."""
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, what)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Nothing more is begun; what is under way reads, and is left."""
        self._pool.shutdown(wait=False, cancel_futures=True)
