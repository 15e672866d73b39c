"""Runs a program of this machine that answers in text, as an inventory does: bounded in time and size."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean

SECONDS = 120.0
LARGEST = 64 << 20
SHOWN = 300


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
        try:
            status = running.wait(seconds)
        except subprocess.TimeoutExpired:
            raise UsageError(f"it did not answer within {seconds:.0f} s", hint="run it by hand") from None
        finally:
            _end(running)
        if status:
            raise UsageError(f"it failed with status {status}: {_end_of(complained)}", hint="run it by hand")
        said.seek(0)
        content = said.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UsageError(f"its answer is larger than {LARGEST >> 20} MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("its answer is not UTF-8") from None


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
