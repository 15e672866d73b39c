"""Asks `ssh -G` what the configuration says of a host: each host once, within a deadline; or our own reader."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from memrunbook.core.errors import Unreachable, UsageError
from memrunbook.core.text import clean
from memrunbook.transports.shared.child import with_usual_files
from memrunbook.transports.shared.patience import nameless
from memrunbook.transports.shared.ssh_config import SshConfig
from memrunbook.transports.shared.ssh_settings import HostSettings, home, read_printed, settings_of
from memrunbook.transports.shared.this_user import named_user, this_user

_UNKNOWN = b"option -- G"
_NAMELESS = re.compile(r"Could not resolve host(?:name)? \"?([^\s\":]+)\"?(?:: (.+))?")
_FAULT = re.compile(r"(?P<file>.+?):? line (?P<line>\d+): (?P<why>.+)")

TypedHost = tuple[str, str, int, tuple[str, ...]]
"""A host as it is named: its name, the user and the port that were typed with it, lines that count before all files."""


def ssh_program() -> str:
    """The path of OpenSSH's client; empty where it is not installed, or this uid has no name, which it refuses."""
    return (shutil.which("ssh") or "") if named_user() else ""


@dataclass(eq=False)
class Resolver:
    """What holds for each host. `config` is the file to read instead of the user's and the system's.

    Safe with many threads: whoever asks for a host that is being asked for waits for that answer.
    """

    config: Path | None = None
    identities: tuple[Path, ...] = ()
    seconds: float = 10.0
    _asked: dict[TypedHost, Future[HostSettings]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def program(self) -> str:
        """The path of OpenSSH's client; empty where it cannot be asked, and our own reader answers."""
        return ssh_program()

    @cached_property
    def _reader(self) -> SshConfig:
        return SshConfig.read(self.config or home() / ".ssh" / "config")

    def settings(self, name: str, user: str = "", port: int = 0, lines: tuple[str, ...] = ()) -> HostSettings:
        """UsageError for a configuration that ssh, or our own reader, refuses; Unreachable where there is no answer."""
        named = (name, user, port, lines)
        with self._turn:
            answer = self._asked.get(named)
            mine = answer is None
            answer = self._asked.setdefault(named, Future())
        if mine:
            try:
                answer.set_result(self._ask(named))
            except BaseException as error:
                answer.set_exception(error)
                raise
        return answer.result()

    def _ask(self, named: TypedHost) -> HostSettings:
        name, user, port, lines = named
        printed = self._printed(name, self._words(named)) if self.program else None
        if printed is None:
            return self._reader.lookup(name, user, port, lines)
        try:
            return settings_of(read_printed(printed), name, this_user())
        except ValueError as error:
            raise UsageError(f"ssh -G {name} is not understood: {error}", where=name) from error

    def _words(self, named: TypedHost) -> tuple[str, ...]:
        name, user, port, lines = named
        return (
            self.program, "-T", "-N", "-G",  # -N: ssh refuses ForkAfterAuthentication without a command
            *(("-F", str(self.config)) if self.config else ()),
            *(("-l", user) if user else ()),
            *(("-p", str(port)) if port else ()),
            *(word for line in lines for word in ("-o", line)),
            *(word for path in self.identities if path.exists() for word in ("-i", str(path))),
            "--", name,
        )  # fmt: skip

    def _printed(self, name: str, words: Sequence[str]) -> str | None:
        """What ssh says; None where it is older than this question (OpenSSH 6.8)."""
        process = subprocess.Popen(  # noqa: S603  constant words, a name, paths; no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with_usual_files(process.pid)
        try:
            printed, complained = process.communicate(timeout=self.seconds)
        except BaseException as error:
            _end(process)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise Unreachable(
                f"ssh -G {name} did not end within {self.seconds:.0f} s",
                where=name,
                hint="a Match exec of the ssh configuration, or a name server that it asks, hangs",
            ) from None
        if process.returncode and _UNKNOWN in complained:
            return None
        if process.returncode:
            raise _refused(complained.decode(errors="replace"), name)
        return printed.decode(errors="surrogateescape")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills what was asked, and what that had started (a Match exec)."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _refused(complained: str, name: str) -> UsageError | Unreachable:
    """What ssh says of a configuration that it refuses, with the place where it stands."""
    lines = [line for line in complained.splitlines() if line.strip() and "terminating," not in line]
    hint = f"ssh refuses it too: ssh -G {name}"
    for line in lines:
        if match := _FAULT.match(line):
            return UsageError(clean(match["why"]), where=f"{match['file']}:{match['line']}", hint=hint)
    said = clean("; ".join(lines)) or "it said nothing"
    if match := _NAMELESS.search(said):
        return nameless(name, match[1], match[2] or "CanonicalizeFallbackLocal is no, and no domain has it")
    return UsageError(f"ssh refuses its configuration: {said}", where=name, hint=hint)
