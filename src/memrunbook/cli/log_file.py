"""--log-file: what a command says to people, once more in a file that only its owner reads; appended, times in UTC."""

from __future__ import annotations

import datetime as dt
import os
import stat
import threading
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.ui import overheard

LONGEST = 10_000
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
HINT = "name a file in a folder of your own; it is made where it is missing"
_OPEN: list[LogFile] = []
"""Of the command under way: none, or one."""


@dataclass
class LogFile:
    """An open log. What cannot be written any more ends no run: `problem` says why, from then on nothing is written."""

    path: Path
    number: int
    problem: str = ""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, line: str) -> None:
        """Writes one line, at once and whole; what looks like a secret is hidden."""
        now = dt.datetime.fromtimestamp(SystemClock().now().utc, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = clean(redact(line), LONGEST).rstrip()
        with self._turn:
            if self.problem or not said:
                return
            try:
                os.write(self.number, f"{now} {said}\n".encode(errors="backslashreplace"))
            except OSError as error:
                self.problem = error.strerror or str(error)


def open_log(path: Path, argv: tuple[str, ...]) -> None:
    """Opens it, made 0600 where it is one's own, and begins with what was typed; UsageError where that fails."""
    try:
        number = os.open(path, FLAGS, 0o600)
    except OSError as error:
        raise UsageError(f"the log cannot be opened: {error.strerror}", where=f"--log-file {path}", hint=HINT) from None
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        raise UsageError("this is no plain file", where=f"--log-file {path}", hint=HINT)
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & ~0o600:
        os.fchmod(number, 0o600)
    log = LogFile(path, number)
    log(f"runbook {' '.join(argv)}")
    _OPEN.append(log)
    overheard.listen(log)


def close_log(code: int) -> str:
    """Ends the log of the command under way with its exit code; what is to be said of it, where it took not all."""
    if not _OPEN:
        return ""
    log = _OPEN.pop()
    log(f"exit code {code}")
    overheard.leave(log)
    os.close(log.number)
    return f"the log {log.path} is not whole: {log.problem}" if log.problem else ""
