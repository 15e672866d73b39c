"""The lines that a client sends: read from a descriptor of their own, which nothing else in this process may read."""

from __future__ import annotations

import fcntl
import os
from typing import TextIO

import anyio.to_thread

LONGEST = 32 << 20
"""Characters of one message: twice the longest log that may be handed over, for its escapes."""
LOWEST = 3


class Lines:
    """Iterates over lines until the client closes stdin. Unlike a file's own iterator it can be left while it waits."""

    def __init__(self) -> None:
        """Stdin itself becomes empty: no program that is started reads what the client says."""
        number = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, LOWEST)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._file: TextIO = open(number, encoding="utf-8", errors="replace", newline="\n")  # noqa: SIM115, PTH123

    def __aiter__(self) -> Lines:
        """Itself: there is one stdin."""
        return self

    async def __anext__(self) -> str:
        """The next line; of one that is too long its beginning, which is no message."""
        line = await anyio.to_thread.run_sync(self._line, abandon_on_cancel=True)
        if not line:
            raise StopAsyncIteration
        return line

    def _line(self) -> str:
        line = piece = self._file.readline(LONGEST)
        while piece and not piece.endswith("\n"):
            piece = self._file.readline(LONGEST)
        return line
