"""SSH agents for tests: OpenSSH's own, and one that accepts and never answers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.sshd import make_key

NO_AGENT = 2
"""What ssh-add ends with where it cannot talk to the agent."""
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
            load_key(place, key)
        yield str(place)
    finally:
        process.terminate()
        process.wait(10)


def load_key(place: Path | str, key: Path | str) -> None:
    """A key into the agent at this socket, once it listens: its file is there a moment before."""
    words = ["ssh-add", "-q", str(key)]
    environment, deadline = {**os.environ, "SSH_AUTH_SOCK": str(place)}, time.monotonic() + 20.0
    while (done := subprocess.run(words, check=False, env=environment, capture_output=True)).returncode == NO_AGENT:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.05)
    done.check_returncode()


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
