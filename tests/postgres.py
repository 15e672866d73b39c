"""A PostgreSQL server of our own on 127.0.0.1, for tests of the store."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

USER = "postgres"
SECONDS = 60.0


def programs() -> Path | None:
    """The folder of its newest programs: Debian's packages keep them beside one another, by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    return Path(found).parent if found else None


MISSING = "no PostgreSQL server is installed here (Debian: postgresql)"


@dataclass
class Postgres:
    """A running server; `url` is its empty database."""

    folder: Path
    port: int
    connections: int = 100
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Its first process; 0 where it is stopped."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        words = [_program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1"]
        settings = [f"-cunix_socket_directories={self.folder}", "-cfsync=off", f"-cmax_connections={self.connections}"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen([*_as_user(), *words, *settings], stdout=log, stderr=log, cwd=self.folder)
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            ready = [*_as_user(), _program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
            if subprocess.run(ready, check=False, cwd=self.folder).returncode == 0:
                return
            time.sleep(0.1)
        message = f"PostgreSQL did not start within {SECONDS:.0f} s: {(self.folder / 'log').read_text()[-500:]}"
        raise TimeoutError(message)

    def stop(self) -> None:
        """Ends it at once, as a server that crashes."""
        if self._process is not None:
            stop = [_program("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"]
            subprocess.run([*_as_user(), *stop], check=False, capture_output=True, cwd=self.folder)
            self._process.wait(SECONDS)
            self._process = None


@contextmanager
def postgres(connections: int = 100) -> Iterator[Postgres]:
    """A server with nothing in it, for so many clients at once."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    server = Postgres(folder, _free_port(), connections)
    make = [_program("initdb"), "-D", str(folder / "data"), "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8"]
    subprocess.run([*_as_user(), *make, "--locale=C"], check=True, capture_output=True, cwd=folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        with suppress(OSError):
            shutil.rmtree(folder)


def _program(name: str) -> str:
    folder = programs()
    return str(folder / name) if folder else name


def _as_user() -> list[str]:
    """It refuses to run as root."""
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.getuid() == 0 else []


def _free_port() -> int:
    """A port that the kernel gives nobody who asks for any: it stays ours while the server is stopped."""
    for port in _PORTS:
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


_PORTS = itertools.chain(range(20000 + os.getpid() * 97 % 12000, 32000), range(20000, 32000))
