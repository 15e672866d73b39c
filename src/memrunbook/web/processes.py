"""Starts commands of ours as processes of their own: they go on where the server ends, and what they say is kept."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.app.asking import VARIABLE
from memrunbook.runtime.clock import SystemClock
from memrunbook.state import disk
from memrunbook.state.asked import FOLDER, AskedFor, record_asked

KEPT = 400
"""Files of what commands said; the oldest go."""
SHOWN = 8_000
"""Characters of what a command said that are shown; all of it is in its file."""


@dataclass(frozen=True)
class Started:
    """A command under way: its process, and the file of what it says."""

    process: asyncio.subprocess.Process
    said: Path

    @property
    def words(self) -> str:
        """The end of what it said."""
        return disk.contents(self.said).decode("utf-8", "replace")[-SHOWN:].strip()


@dataclass
class OwnCommands:
    """Commands that were started here. `program` are the words that start `runbook`."""

    program: Sequence[str]
    state: Path
    _ends: set[asyncio.Task[int]] = field(default_factory=set)

    async def start(self, words: Sequence[str], asked: AskedFor, given: bytes = b"") -> Started:
        """Starts `runbook` with these words, once who asked for it is on record; `given` is its stdin."""
        said, head, stdin = await asyncio.to_thread(self._prepared, asked, given)
        with contextlib.ExitStack() as files:
            reads = files.enter_context(stdin.open("rb")) if stdin is not None else asyncio.subprocess.DEVNULL
            writes = files.enter_context(said.open("ab"))
            process = await asyncio.create_subprocess_exec(
                *self.program, *words, stdin=reads, stdout=writes, stderr=writes,
                env={**os.environ, VARIABLE: head, "NO_COLOR": "1", "COLUMNS": "100"}, start_new_session=True,
            )  # fmt: skip
        end = asyncio.create_task(process.wait())  # else it stays a zombie
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)
        return Started(process, said)

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
