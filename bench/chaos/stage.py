"""The stage of a chaos: PostgreSQL, hosts that are machines of their own, workers as processes, and a runbook."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres as server
from tests.cli.books import ACT, HEAD

from bench import farm
from bench.chaos.process import Process
from bench.chaos.verdict import STEPS

STALLED_AFTER, END_SECONDS = 6.0, 60.0
CONNECTIONS = 600
EFFECTS = "effects"
"""The file in each host's own /run that every step leaves two lines in."""
BEGUN = b"takes what is ordered"
BOOK = "four"
DOES = 'echo "begun $1 $2" >>/run/effects; sleep "$3"; echo "ended $1 $2" >>/run/effects'
PARAMETERS = """\
parameters:
  order: {type: string, default: none, description: Whose line it is}
  pause: {type: string, default: "0.3", description: Seconds that a step lasts}
"""
CONFIG = "limits: {most_without_help: 100}\n"
"""The runbook never helps, so that all of its steps are carried out, and each host has many such runs."""


def missing() -> str:
    """What this machine lacks for it; empty where nothing is missing."""
    if os.geteuid() != 0:
        return "hosts that are machines of their own need root"
    if server.programs() is None:
        return server.MISSING
    return farm.missing() or ("" if farm.can_be_apart() else "no mount namespaces can be made here")


def write_runbook(folder: Path) -> None:
    """Four once-only steps, each of which leaves a line when it begins and one when it ends."""
    folder.mkdir()
    steps = ""
    for step in STEPS:
        words = ["'sh'", "'-c'", f"'{DOES}'", "'step'", f"'{step}'"]
        command = ", ".join([*words, "'${{ parameters.order }}'", "'${{ parameters.pause }}'"])
        act = ACT.format(id=step, command=command, risk="low", timeout="30s", verify="memory.total_bytes > 0")
        steps += act
    head = HEAD.format(name=BOOK, resolved="memory.available_percent > 100.0", more=PARAMETERS)
    (folder / f"{BOOK}.yaml").write_text(head + steps, encoding="utf-8")


@dataclass
class Stage:
    """What stands: `folder` holds all that is written."""

    folder: Path
    postgres: server.Postgres
    hosts: farm.Farm
    stalled_after: float = STALLED_AFTER
    nodes: list[Node] = field(default_factory=list)

    def runbook(self, words: Sequence[str], out: Path, err: Path) -> Process:
        """The command, as each control node gives it."""
        return Process(words, self.environment, out, err)

    @property
    def environment(self) -> dict[str, str]:
        """Where the command looks for what is not on its command line."""
        return {
            "RUNBOOK_STORE": self.postgres.url,
            "RUNBOOK_PATH": str(self.folder / "books"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    def run_of(self, place: int) -> Path:
        """The /run of a host, by its place among the addresses."""
        return Path(f"/proc/{self.hosts.servers[place]}/root/run")

    def states(self) -> list[Path]:
        """Every state directory there is."""
        return sorted(path for path in (self.folder / "state").iterdir() if path.is_dir())


@dataclass
class Node:
    """A worker on a control node of its own, which can be killed, frozen and lost with all that it has written."""

    stage: Stage
    name: str
    process: Process | None = None
    frozen: bool = False
    _behind: int = 0

    @property
    def state(self) -> Path:
        return self.stage.folder / "state" / self.name

    @property
    def log(self) -> Path:
        return self.stage.folder / f"{self.name}.log"

    @property
    def works(self) -> bool:
        """True where it takes runs and nothing was done to it: to begin takes seconds on a busy machine."""
        return self.process is not None and self.process.lives and not self.frozen and self.began

    @property
    def began(self) -> bool:
        """True where it has said that it takes runs, since it was started."""
        return self.log.exists() and BEGUN in self.log.read_bytes()[self._behind :]

    def start(self) -> None:
        """Starts it with the state directory that it has."""
        words = [
            "worker",
            "--node",
            self.name,
            "--state-dir",
            str(self.state),
            "--stalled-after",
            f"{self.stage.stalled_after}s",
        ]
        self._behind = self.log.stat().st_size if self.log.exists() else 0
        self.process = self.stage.runbook([*words, f"--ssh-config={self.stage.hosts.config}"], self.log, self.log)

    @property
    def died(self) -> bool:
        """True where it ended by itself: that must not be."""
        return self.process is not None and not self.process.lives

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self.process is not None:
            self.process.send(signal.SIGKILL)
            self.process.ended(END_SECONDS)
            self.process, self.frozen = None, False

    def freeze(self) -> None:
        """It does nothing, and does not know."""
        if self.process is not None:
            self.process.send(signal.SIGSTOP)
            self.frozen = True

    def thaw(self) -> None:
        """It goes on as though nothing had been."""
        if self.process is not None:
            self.process.send(signal.SIGCONT)
        self.frozen = False

    def lose(self) -> None:
        """It is gone, and its state directory too."""
        self.kill()
        self.state.rename(self.state.with_name(f".{self.name}"))

    def bring_back(self) -> None:
        """It is there again, with the state directory that it had."""
        self.state.with_name(f".{self.name}").rename(self.state)
        self.start()

    def end(self, seconds: float) -> int | None:
        """Asks it to stop; None where it does not: then its threads are in its log."""
        if self.process is None:
            return None
        self.process.send(signal.SIGTERM)
        return ended(self.process, seconds)


def ended(process: Process, seconds: float) -> int | None:
    """The exit code; None where it does not end: it is aborted, and tells on stderr what each of its threads did."""
    if (code := process.ended(seconds)) is None:
        process.aborted()
    return code


@contextmanager
def stage(folder: Path, hosts: int, workers: int, stalled_after: float = STALLED_AFTER) -> Iterator[Stage]:
    """All of it at work; afterwards ended, and what was written is left in the folder."""
    (folder / "state").mkdir(parents=True)
    write_runbook(folder / "books")
    (folder / "config" / "memrunbook").mkdir(parents=True)
    (folder / "config" / "memrunbook" / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with server.postgres(CONNECTIONS) as postgres, farm.running(hosts, apart=True) as there:
        found = Stage(folder, postgres, there, stalled_after)
        found.nodes += [Node(found, f"node-{number}") for number in range(workers)]
        try:
            for node in found.nodes:
                node.start()
            yield found
        finally:
            for node in found.nodes:
                node.kill()
            shutil.copy(postgres.folder / "log", folder / "postgres.log")


def sessions(stage: Stage) -> dict[int, list[int]]:
    """By the place of each host that has some: the processes of its sshd that serve a connection."""
    places = {server: place for place, server in enumerate(stage.hosts.servers)}
    found: dict[int, list[int]] = {}
    for parent, pid in farm.living():
        if parent in places:
            found.setdefault(places[parent], []).append(pid)
    return found


def cut(pids: Iterable[int]) -> None:
    """Ends sessions, as a cable that is pulled: what they had begun goes on."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
