"""Runs the command as people do: in this process (quick), in one of its own (pipes), or at a terminal (a pty)."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memrunbook.cli.main import main

ROOT = Path(__file__).parents[2]
ETC = "TESTS_OWN_ETC"
"""What tests, and nobody else, call the folder that stands for the administrator's."""
MAIN = f"""
import os, pathlib
import memrunbook.documents.library
memrunbook.documents.library.ADMINISTRATORS = pathlib.Path(os.environ.get("{ETC}", "/nonexistent"))
from memrunbook.cli.main import main
main()
"""
WORDS = [sys.executable, "-c", MAIN]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str = ""

    @property
    def said(self) -> str:
        return self.out + self.err

    def refused(self, code: int, *words: str, hint: str = "") -> None:
        """It ended with this code and one clear message that has these words and this hint, and no traceback."""
        assert self.code == code, self.said
        for word in words:
            assert word in self.said, self.said
        hints = [line for line in self.said.splitlines() if line.strip().startswith("hint:")]
        assert any(hint in line for line in hints), self.said
        assert "Traceback" not in self.said
        assert "defect" not in self.said

    def plain(self) -> None:
        """Nothing in what it said could steer a terminal."""
        found = CONTROL.search(self.said.replace("\r\n", "\n"))
        assert not found, ascii(self.said[max(0, found.start() - 60) : found.end() + 60])


def here(*words: str, stdin: bytes = b"") -> Ran:
    """Runs the command inside this process, off a terminal."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    sys.argv, sys.stdin, sys.stdout, sys.stderr = ["runbook", *words], io.TextIOWrapper(io.BytesIO(stdin)), out, err
    code: Any = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = before
    texts = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]
    return Ran(code, *texts)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, with the package to be imported from the checkout."""
    known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    path = os.pathsep.join(part for part in (str(ROOT / "src"), known.get("PYTHONPATH", "")) if part)
    return {**known, "PYTHONPATH": path, **changes}


def apart(*words: str, env: Mapping[str, str] | None = None, timeout: float = 60, before: Sequence[str] = ()) -> Ran:
    """Runs the command as a process of its own on pipes, with nothing on stdin; `before` are words of a wrapper."""
    done = subprocess.run(
        [*before, *WORDS, *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        env=env or environment(),
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass
class Terminal:
    """A command at a terminal: what it drew, and keys to press. `drawn` is without colours and cursor movements."""

    process: subprocess.Popen[bytes]
    line: int
    raw: str = ""
    _seen: int = 0
    _buffer: bytearray = field(default_factory=bytearray)

    @property
    def drawn(self) -> str:
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def expect(self, text: str, seconds: float = 30) -> None:
        """Waits until this text is drawn, behind what was expected before."""
        deadline = time.monotonic() + seconds
        while (found := self.drawn.find(text, self._seen)) < 0:
            if time.monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"{text!r} was not drawn, but:\n{self.drawn[self._seen :]}")
        self._seen = found + len(text)

    def type(self, text: str) -> None:
        os.write(self.line, text.encode())

    def wait(self, seconds: float = 30) -> int:
        """Reads to the end and returns the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        if not select.select([self.line], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.line, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self._buffer += data
        self.raw = self._buffer.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def terminal(*words: str, columns: int = 100, term: str = "xterm-256color") -> Iterator[Terminal]:
    """The command with a pty of this width as its controlling terminal."""
    line, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*WORDS, *words],
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call, no lock is taken
        env=environment(TERM=term),
    )
    os.close(far)
    try:
        yield Terminal(process, line)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        os.close(line)


def wait_for(path: Path, seconds: float = 20) -> None:
    """Waits until a file appears."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
