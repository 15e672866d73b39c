"""SSH agents for tests: OpenSSH's own, and one that accepts and never answers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.sshd import make_key

AGENT = bool(shutil.which("ssh-agent") and shutil.which("ssh-add"))


@contextmanager
def agent(folder: Path, *keys: Path) -> Iterator[str]:
    """An ssh-agent that holds these keys alone; the path of its socket."""
    place = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL)
    try:
        while not place.exists():
            assert process.poll() is None
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", str(key)],
                check=True,
                env={**os.environ, "SSH_AUTH_SOCK": str(place)},
                capture_output=True,
            )
        yield str(place)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def silent_agent(folder: Path) -> Iterator[str]:
    """A socket that accepts, reads, and never answers."""
    place = folder / "silent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen(8)
        accepted: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield str(place)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for one in accepted:
                one.close()


def person(folder: Path, name: str) -> Path:
    """The key of a person, whose .pub file names them."""
    key = folder / name
    make_key(key)
    return key


def line(principal: str, key: Path, options: str = "") -> str:
    """A line of allowed_signers."""
    kind, public = Path(f"{key}.pub").read_text(encoding="ascii").split()[:2]
    return " ".join(word for word in (principal, options, kind, public) if word) + "\n"
