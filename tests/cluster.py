"""Several control nodes on this machine: PostgreSQL, machines with an sshd each, and workers as processes."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import postgres
from tests.cli.console import WORDS, Ran, environment, wait_until
from tests.machines import Machines, machines, needs_machines


@dataclass
class WorkerProcess:
    """A worker that is running; `log` is what it says."""

    process: subprocess.Popen[bytes]
    log: Path
    state: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends it a signal, and waits until it has ended."""
        self.process.send_signal(number)
        return self.process.wait(40)


@dataclass(frozen=True)
class Cluster:
    """A store of its own for one test, and the machines that all tests share."""

    url: str
    machines: Machines
    folder: Path

    @property
    def books(self) -> Path:
        """The folder of runbooks of whoever orders, and of workers that have no other."""
        path = self.folder / "books"
        path.mkdir(exist_ok=True)
        return path

    def words(self, *words: str, hosts: Sequence[str] = (), state: str = "front") -> list[str]:
        """The words of a command on the node that orders."""
        named = ["--host", ",".join(hosts), f"--runbooks={self.books}"] if hosts else []
        return [*words, *named, f"--state-dir={self.folder / state}", f"--store={self.url}"]

    @contextmanager
    def worker(self, node: str, *more: str, books: Path | None = None) -> Iterator[WorkerProcess]:
        """A worker with a state directory of its own, which takes parts by now; it is killed at the end."""
        state, log = self.folder / node, self.folder / f"{node}.log"
        words = ["worker", "--node", node, f"--state-dir={state}", f"--store={self.url}", *self.machines.arguments]
        words += [f"--runbooks={books or self.books}", "--stalled-after=3s", *more]
        with log.open("ab") as said:
            process = subprocess.Popen(
                [*WORDS, *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment()
            )
        worker = WorkerProcess(process, log, state)
        try:
            wait_until(lambda: _is_there(self.url, node), f"{node} takes parts")
            yield worker
        finally:
            process.kill()
            process.wait(10)

    @contextmanager
    def ordered(self, *words: str, hosts: Sequence[str], log: str = "run") -> Iterator[subprocess.Popen[bytes]]:
        """An order that is followed, as a process; it is killed at the end. `followed` reads what it says."""
        with (self.folder / log).open("wb") as said:
            process = subprocess.Popen(
                [*WORDS, *self.words("run", "small", "--distribute", *words, hosts=hosts)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment(),
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    def ended(self, process: subprocess.Popen[bytes], log: str = "run") -> Ran:
        """How an order ended, and what it said."""
        code = process.wait(60)
        return Ran(code, (self.folder / log).read_text())


@contextmanager
def shared(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, Machines]]:
    """A PostgreSQL server and the machines; skips where there can be none."""
    pytest.importorskip("procrastinate", reason="the extra cluster is not installed")
    needs_machines()
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    with postgres.postgres() as server, machines(folder, names) as found:
        yield server.url, found


def _is_there(url: str, node: str) -> bool:
    """True once a worker of this node was heard of in the store: from then on parts are queued for it."""
    import psycopg

    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT to_regclass('workers')").fetchone()
        if made is None or made[0] is None:
            return False
        there = "SELECT 1 FROM workers WHERE node = %s AND NOT stopped AND beat > extract(epoch FROM now()) - 2"
        return connection.execute(there, (node,)).fetchone() is not None


def own_database(url: str) -> str:
    """The URL of a new database on the server of this one."""
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rpartition('/')[0]}/{name}"
