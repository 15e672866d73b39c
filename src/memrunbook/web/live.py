"""Tells a browser that a run's journal has grown: server-sent events, few at once, each for a bounded time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY = 1.0
BEAT = 15.0
"""Seconds after which something is sent where nothing has happened: who has gone is noticed."""
LONGEST = 600.0
"""Seconds of one stream; a browser asks again."""
MOST, MOST_EACH = 40, 8
"""Streams of all sessions, and of one: nobody takes them from the others."""
FilesMark = tuple[tuple[str, int, int], ...]


@dataclass
class Streams:
    """How many are open; `closing` ends them all."""

    open: int = 0
    closing: bool = False
    _each: Counter[str] = field(default_factory=Counter)

    def full(self, who: str) -> bool:
        """True where there is no room for one more stream of this session."""
        return self.open >= MOST or self._each[who] >= MOST_EACH

    async def follow(
        self, run: Path, who: str, still: Callable[[], bool], over: Callable[[], bool]
    ) -> AsyncGenerator[bytes, None]:
        """The events of one run for this session, while it is `still` there, until the run is `over`."""
        self.open += 1
        self._each[who] += 1
        try:
            before, silent, waited = mark(run), 0.0, 0.0
            yield b"retry: 3000\nevent: change\ndata: since the page was made, perhaps\n\n"
            while waited < LONGEST and not self.closing and still():
                if over():
                    yield b"event: end\ndata: over\n\n"
                    return
                await asyncio.sleep(LOOK_EVERY)
                waited, silent = waited + LOOK_EVERY, silent + LOOK_EVERY
                now = mark(run)
                if now != before or silent >= BEAT:
                    yield b"event: change\ndata: grown\n\n" if now != before else b": still there\n\n"
                    before, silent = now, 0.0
        finally:
            self.open -= 1
            self._each -= Counter((who,))


def mark(run: Path) -> FilesMark:
    """Each file of a run with its size and time: what differs has grown."""
    try:
        found = sorted(run.iterdir())
        return tuple((one.name, (told := one.stat()).st_size, told.st_mtime_ns) for one in found)
    except OSError:
        return ()
