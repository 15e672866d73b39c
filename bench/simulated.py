"""Hosts that are recordings: each answers as late as measured servers do, and remembers what was changed there.

`python -m bench.simulated --folder DIR -- WORDS` is `runbook WORDS`, for whom hosts named sim-00001 and on are such
hosts. The folder is shared by all processes of a benchmark: in it each change leaves a line when it has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from bench.latencies import drawn
from bench.recordings import ids, kinds, own_ids, samples
from memrunbook import transports
from memrunbook.app.connectors import Connectors
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.reading.probe import AGAIN, MARK
from memrunbook.runtime.ports import Connector, Output
from memrunbook.transports.replay import ReplaySession
from memrunbook.transports.shared.reach import Reach, Way

CURED = "idle-healthy"
NAME = re.compile(r"sim-\d{5,}")
ACTS = 'mrb_act "$@"'
"""Stands in whatever changes a host."""
WITNESS = "runbook: run="
"""Begins the line for the host's own log; behind it stand the arguments of the change itself."""


class ChangeMade(NamedTuple):
    """A change that has ended; times are of the clock that all processes of a machine share (CLOCK_MONOTONIC)."""

    host: str
    what: str
    begin: float
    end: float


@dataclass(frozen=True)
class Simulation:
    """`folder` holds what was changed. A share of the hosts is `sick`; a change takes `change_seconds`, on average.

    `slower` is by how much the measured latencies are stretched, 0 for none.
    """

    folder: Path
    sick: float = 0.1
    seed: int = 0
    slower: float = 1.0
    change_seconds: float = 1.0

    def connector(self, host: Host) -> Connector:
        return SimulatedHost(self, host.name)

    def draws(self, *of: object) -> random.Random:
        """Chance that is the same for the same of a host, in whatever order and process it is asked for."""
        return random.Random(repr((self.seed, *of)))

    def recording(self, name: str) -> str:
        if (self.folder / f"{name}.cured").exists():
            return CURED
        chance = self.draws(name)
        sick, well = kinds()
        return chance.choice(sick if chance.random() < self.sick else well)

    def wait(self, kind: str, *of: object) -> None:
        time.sleep(self.slower * drawn(kind, self.draws(kind, *of)))

    def changed(self, change: ChangeMade) -> None:
        """One write of one line: those of several processes do not mix."""
        line = json.dumps(change).encode() + b"\n"
        file = os.open(self.folder / "changes.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
        (self.folder / f"{change.host}.cured").touch()

    def changes(self) -> list[ChangeMade]:
        file = self.folder / "changes.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [ChangeMade(*json.loads(line)) for line in lines]

    def install(self) -> None:
        """From now on this process reaches hosts of such names here, by whatever transport they are named."""
        usual = transports.way

        def way(name: str, reach: Reach) -> Way:
            real = usual(name, reach)
            return lambda host: self.connector(host) if NAME.fullmatch(host.name) else real(host)

        transports.way = way


class SimulatedHost:
    """A host, and a shell on it. What is no probe succeeds; what changes something takes its time and is remembered."""

    root, no_root = True, ""

    def __init__(self, world: Simulation, name: str) -> None:
        self._world, self._name, self._asked = world, name, 0
        self._kind, self._replay = "", ReplaySession(())
        self.identity = HostIdentity(address=name, host_key=f"SHA256:{name}", user="root")

    def connect(self) -> SimulatedHost:
        self._world.wait("connect", self._name, time.monotonic_ns())
        return self

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        del timeout, limit
        self._asked += 1
        began = time.monotonic()
        if script.startswith(MARK):
            return structs.replace(self._probed(script, args), seconds=time.monotonic() - began)
        self._world.wait("script", self._name, self._asked)
        if ACTS in script:
            self._act(args)
        return Output(0, "", time.monotonic() - began)

    def _act(self, args: Sequence[str]) -> None:
        began = time.monotonic()
        time.sleep(self._world.change_seconds * self._world.draws("change", self._name, began).uniform(0.5, 1.5))
        witness = next((place for place, word in enumerate(args) if word.startswith(WITNESS)), -1)
        self._world.changed(ChangeMade(self._name, " ".join(args[witness + 1 :]), began, time.monotonic()))

    def _probed(self, script: str, args: Sequence[str]) -> Output:
        kind, again = self._world.recording(self._name), script.startswith(AGAIN)
        if kind != self._kind:
            self._kind, self._replay = kind, ReplaySession(samples(kind))
        self._world.wait("again" if again else "probe", self._name, self._asked)
        output = self._replay.execute(script, args)
        text = output.text
        for old, new in zip(ids(kind), own_ids(self._name), strict=True):
            text = text.replace(old, new)
        return structs.replace(output, text=text)

    def close(self) -> None:
        """There is nothing to let go of."""


@dataclass(frozen=True, kw_only=True)
class SimulatedConnectors(Connectors):
    """The ways to the hosts of a simulation, for who calls use cases."""

    world: Simulation

    def connector(self, host: Host) -> Connector:
        return self.world.connector(host)


def most_at_once(changes: Iterable[ChangeMade]) -> int:
    """How many changes were under way at the same time, at most; one that begins as another ends is behind it."""
    edges = sorted(edge for one in changes for edge in ((one.begin, 1), (one.end, -1)))
    return max(accumulate(step for _, step in edges), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sick", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--change-seconds", type=float, default=1.0)
    parser.add_argument("words", nargs="+")
    given = vars(parser.parse_args())
    words = given.pop("words")
    Simulation(**given).install()
    from memrunbook.cli.main import main as runbook

    runbook(words)


if __name__ == "__main__":
    main()
