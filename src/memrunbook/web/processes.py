"""Starts commands of ours as processes of their own: they go on where the server ends, and what they say is kept."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memrunbook.app.asking import VARIABLE
from memrunbook.runtime.clock import SystemClock
from memrunbook.state import disk
from memrunbook.state.asked import FOLDER, AskedFor, record_asked
from memrunbook.transports.shared.detached import Detached, start_detached

KEPT = 400
"""Files of what commands said; the oldest go."""
SHOWN = 8_000
"""Characters of what a command said that are shown; all of it is in its file."""


@dataclass(frozen=True)
class Started:
    """A command under way: its process, the file of what it says, and what is set once it has ended."""

    process: Detached
    said: Path
    over: asyncio.Event

    @property
    def words(self) -> str:
        """The end of what it said; read from the disk."""
        return disk.contents(self.said).decode("utf-8", "replace")[-SHOWN:].strip()


@dataclass(frozen=True)
class OwnCommands:
    """Starts commands here. `program` are the words that start `runbook`."""

    program: Sequence[str]
    state: Path

    async def start(self, words: Sequence[str], asked: AskedFor, given: bytes = b"") -> Started:
        """Starts `runbook` with these words, once who asked for it is on record; `given` is its stdin.

        JournalError where that cannot be written, or the process not be started.
        """
        over, loop = asyncio.Event(), asyncio.get_running_loop()

        def ended() -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended before
                loop.call_soon_threadsafe(over.set)

        def begun() -> Started:
            said, head, stdin = self._prepared(asked, given)
            environment = {**os.environ, VARIABLE: head, "NO_COLOR": "1", "COLUMNS": "100"}
            with disk.explained(said, "be written by a command that is started"):
                process = start_detached((*self.program, *words), environment, stdin, said, ended)
            return Started(process, said, over)

        return await asyncio.to_thread(begun)

    def _prepared(self, asked: AskedFor, given: bytes) -> tuple[Path, str, Path | None]:
        """The file of what it will say, the record that it was asked for, the file of its stdin."""
        folder = self.state / FOLDER
        disk.make_directory(folder)
        self._forget(folder)
        at = dt.datetime.fromtimestamp(asked.at, dt.UTC)
        name = f"{at:%Y%m%dT%H%M%S.%f}Z-{asked.what}-{asked.digest[:8]}"
        stdin = folder / f"{name}.json" if given else None
        if stdin is not None:
            disk.create(stdin, given, shared=0o640)
        said = folder / f"{name}.log"
        disk.create(said, b"")
        return said, record_asked(self.state, asked), stdin

    def _forget(self, folder: Path) -> None:
        for path in sorted(disk.listed(folder, "*"))[: -KEPT or None]:
            with contextlib.suppress(OSError):
                path.unlink()


def now_utc() -> float:
    """Seconds since 1970."""
    return SystemClock().now().utc
