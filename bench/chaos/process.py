"""Processes of the command, forked from one that has all of it loaded: to load it costs more than a run does."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from memrunbook.cli.main import main

LOADED = [
    "memrunbook.app.part_running",
    "memrunbook.app.placing",
    "memrunbook.app.working",
    "memrunbook.cli.commands.resume",
    "memrunbook.cli.commands.run",
    "memrunbook.cli.commands.worker",
    "memrunbook.cli.narration",
    "memrunbook.state.queue_worker",
    "memrunbook.state.store.migrations",
    "memrunbook.state.store.orders",
    "memrunbook.transports.ssh",
    "procrastinate",
    "psycopg.pq",
]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["bench.chaos.process", "bench.chaos.loaded", *LOADED])


class Process:
    """The command as a process of its own; what it says is added to the files `out` and `err`."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
        self._process: ForkServerProcess = _CONTEXT.Process(target=_become, args=(words, dict(environment), out, err))
        self._process.start()

    @property
    def lives(self) -> bool:
        """True until it has ended."""
        return self._process.is_alive()

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; nothing to one that has ended."""
        if self.lives and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def ended(self, seconds: float) -> int | None:
        """Its exit code, once it has ended; None where it lives on for so long."""
        self._process.join(seconds)
        return self._process.exitcode

    def aborted(self) -> None:
        """Ends one that hangs: what each of its threads did is in its `err`."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGABRT)
        self._process.join()


def _become(words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    os.environ |= environment
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main(list(words))
    except SystemExit as ended:
        sys.stdout.flush()
        os._exit(int(ended.code or 0))
