"""Real shells for the scripts of the runtime, with what they would touch on the machine moved into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from memrunbook.core.host import HostIdentity
from memrunbook.runtime.ports import Output
from memrunbook.transports.shared.child import Child
from memrunbook.transports.shared.shell import Shell, ShellSession


class Moved:
    """A session whose scripts find the kernel's log, and whether systemd runs, in a folder of the test."""

    def __init__(self, session: ShellSession, kmsg: Path, systemd: Path) -> None:
        self.session, self.kmsg, self.systemd = session, kmsg, systemd
        self.identity, self.root, self.no_root = session.identity, session.root, session.no_root

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        moved = script.replace("/dev/kmsg", str(self.kmsg)).replace("/run/systemd/system", str(self.systemd))
        return self.session.execute(moved, args, timeout=timeout, limit=limit)

    def close(self) -> None:
        self.session.close()


@contextmanager
def opened(
    command: tuple[str, ...], kmsg: Path = Path("/dev/null"), *, systemd: Path = Path("/nowhere")
) -> Iterator[Moved]:
    child = Child(command)
    session = Moved(ShellSession(Shell(child), HostIdentity(), child), kmsg, systemd)
    try:
        yield session
    finally:
        session.close()


def program(folder: Path, name: str, script: str) -> None:
    """Puts a program into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
