"""Runs a program of this machine that answers in text, as an inventory does: bounded in time and size."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean

SECONDS = 120.0
LARGEST = 64 << 20
SHOWN = 300
LOOKED_AT = 0.2
"""How often it is looked at how much a program has said, in seconds."""
ENDED_BY = (signal.SIGTERM, signal.SIGHUP)


def answer_of(words: Sequence[str], folder: Path, seconds: float = SECONDS) -> str:
    """What a program writes to stdout, run in a folder; UsageError where it fails, is not there, or does not end."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        try:
            running = subprocess.Popen(  # noqa: S603  the operator's own program, and no shell
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=complained, cwd=folder, start_new_session=True
            )
        except FileNotFoundError:
            hint = "install it, or see that its first line names a program that there is"
            raise UsageError(f"{words[0]} is not installed here", hint=hint) from None
        except OSError as error:
            hint = "its first line must name a program that there is"
            raise UsageError(f"{words[0]} cannot be started: {error.strerror}", hint=hint) from None
        with _ended_with_us(running):
            status = _status(running, (said, complained), seconds)
        if status:
            raise UsageError(f"it failed with status {status}: {_end_of(complained)}", hint="run it by hand")
        said.seek(0)
        content = said.read()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("its answer is not UTF-8") from None


def _status(running: subprocess.Popen[bytes], files: Sequence[IO[bytes]], seconds: float) -> int:
    """How it ended; UsageError where it says more than is read, or does not end, and it is ended then."""
    deadline, status = time.monotonic() + seconds, None
    try:
        while status is None:
            with suppress(subprocess.TimeoutExpired):
                status = running.wait(max(0.0, min(LOOKED_AT, deadline - time.monotonic())))
            if any(os.fstat(file.fileno()).st_size > LARGEST for file in files):
                raise UsageError(f"its answer is larger than {LARGEST >> 20} MiB", hint="run it by hand")
            if status is None and time.monotonic() >= deadline:
                raise UsageError(f"it did not answer within {seconds:.0f} s", hint="run it by hand")
    finally:
        _end(running)
    return status


@contextmanager
def _ended_with_us(running: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whoever ends us by a signal ends the program as well: else it goes on, and nobody looks after it."""

    def end(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)  # whoever waits for it holds the lock that `wait` takes
        signal.signal(number, before[signal.Signals(number)])
        os.kill(os.getpid(), number)

    caught = ENDED_BY if threading.current_thread() is threading.main_thread() else ()
    before = {one: signal.getsignal(one) for one in caught if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _end(running: subprocess.Popen[bytes]) -> None:
    """Ends it, and what it has started."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _end_of(complained: IO[bytes]) -> str:
    """The last line that it wrote to stderr."""
    complained.seek(0)
    text = complained.read(LARGEST).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return clean(lines[-1], SHOWN) if lines else "it said nothing"
