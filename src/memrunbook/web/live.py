"""Tells a browser that a run's journal has grown: server-sent events, few at once, each for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY = 1.0
BEAT = 15.0
"""Seconds after which something is sent where nothing has happened: who has gone is noticed."""
LONGEST = 600.0
"""Seconds of one stream; a browser asks again."""
MOST = 40
FilesMark = tuple[tuple[str, int, int], ...]


@dataclass
class Streams:
    """How many are open; `closing` ends them all."""

    open: int = 0
    closing: bool = False

    async def follow(self, run: Path, still: Callable[[], bool], over: Callable[[], bool]) -> AsyncIterator[bytes]:
        """The events of one run, while the session is `still` there, until it is `over`."""
        self.open += 1
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


def mark(run: Path) -> FilesMark:
    """Each file of a run with its size and time: what differs has grown."""
    try:
        found = sorted(run.iterdir())
        return tuple((one.name, (told := one.stat()).st_size, told.st_mtime_ns) for one in found)
    except OSError:
        return ()
