"""Starts a command of ours as a process that goes on when whoever started it ends, by itself or by a signal."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Detached:
    """Such a process, in a session of its own; nothing that happens to this value ends it."""

    _process: subprocess.Popen[bytes]

    @property
    def status(self) -> int | None:
        """Its exit status; None while it is at work."""
        return self._process.returncode


def start_detached(
    words: Sequence[str], environment: Mapping[str, str], given: Path | None, said: Path, over: Callable[[], object]
) -> Detached:
    """Starts it: `given` is the file of its stdin, what it says is added to the file `said`.

    `over` is called by a thread of its own once the process has ended. OSError where it cannot be started.
    """
    with contextlib.ExitStack() as files:
        reads = files.enter_context(given.open("rb")) if given is not None else subprocess.DEVNULL
        writes = files.enter_context(said.open("ab"))
        process = subprocess.Popen(  # noqa: S603  this very program, and no shell
            words, stdin=reads, stdout=writes, stderr=writes, env=environment, start_new_session=True
        )
    threading.Thread(target=_waits, args=(process, over), name="detached", daemon=True).start()
    return Detached(process)


def _waits(process: subprocess.Popen[bytes], over: Callable[[], object]) -> None:
    process.wait()  # else it stays a zombie
    over()
