"""How long hosts take to be reached and to answer: measured against a real sshd, and drawn from what was measured.

`python -m bench.latencies --rounds 60` measures one on this machine and writes bench/latencies.json: of each kind the
seconds at every 20th part of all that was measured, from the quickest to the slowest.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import quantiles

from tests import sshd

from memrunbook import catalog
from memrunbook.core.reading.probe import AGAIN, MARK
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.life import run_alone
from memrunbook.runtime.ports import Output, Session
from memrunbook.transports.ssh import SshConnector

FILE = Path(__file__).with_name("latencies.json")
KINDS = ("connect", "probe", "again", "script")
"""A connection with its shell; the first probe of all that a diagnosis reads; a later one; any other script."""
PARTS = 20
APART = 0.2


@cache
def measured() -> Mapping[str, Sequence[float]]:
    found: Mapping[str, Sequence[float]] = json.loads(FILE.read_text(encoding="utf-8"))["seconds"]
    return found


def drawn(kind: str, chance: random.Random) -> float:
    """Seconds, as often as they were measured."""
    points = measured()[kind]
    place = chance.random() * (len(points) - 1)
    below = int(place)
    return points[below] + (place - below) * (points[below + 1] - points[below])


class TimedSession:
    def __init__(self, session: Session, took: dict[str, list[float]]) -> None:
        self._session, self._took = session, took
        self.identity, self.root, self.no_root = session.identity, session.root, session.no_root

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        kind = "again" if script.startswith(AGAIN) else "probe" if script.startswith(MARK) else "script"
        began = time.monotonic()
        output = self._session.execute(script, args, timeout=timeout, limit=limit)
        self._took[kind].append(time.monotonic() - began)
        return output

    def close(self) -> None:
        self._session.close()


def measure(rounds: int) -> dict[str, list[float]]:
    """Each round connects anew, reads all that a diagnosis reads twice, and runs a script that does nothing."""
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="latencies-") as folder, sshd.running(Path(folder)) as server:
        for _ in range(rounds):
            began = time.monotonic()
            real = SshConnector(server.host, server.options).connect()
            took["connect"].append(time.monotonic() - began)
            session = TimedSession(real, took)
            collector = Collector(server.host, session, SystemClock(), catalog.facts())
            run_alone(collector.collect(sorted(catalog.standing_facts()), count=2, every=APART), SystemClock())
            session.execute(":")
            session.close()
    return took


def quantiles_of(seconds: Sequence[float]) -> list[float]:
    inner = quantiles(seconds, n=PARTS, method="inclusive")
    return [round(one, 5) for one in (min(seconds), *inner, max(seconds))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    if not sshd.can_run():
        sys.exit(sshd.MISSING)
    took = measure(rounds)
    found = {"rounds": rounds, "seconds": {kind: quantiles_of(took[kind]) for kind in KINDS}}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for kind in KINDS:
        points = measured()[kind]
        print(f"{kind}: median {1000 * points[PARTS // 2]:.1f} ms, at most {1000 * points[-1]:.1f} ms")


if __name__ == "__main__":
    main()
