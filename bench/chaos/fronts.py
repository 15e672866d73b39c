"""The runs of a chaos: each a `runbook run --distribute` of its own, several at once."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.chaos.stage import BOOK, Stage, ended
from bench.chaos.verdict import OPEN, Front, Told
from memrunbook.cli import exit_codes

MOST_HOSTS = 4
PAUSES = ("0.2", "0.2", "0.2", "0.2", "1", "1", "4")
"""Seconds that each step of a run lasts, as the command `sleep` takes them."""
PATIENCE = 1200.0
"""Seconds after which a run counts as one that never ends."""
AGAIN = 2.0
"""Seconds until a run is ordered once more that did not begin."""
SETTLED_WITHIN = 30.0
KILLED_WITHIN = (3.0, 20.0)
RESUMED_AT_MOST = 5


@dataclass(frozen=True)
class Wanted:
    """A run that is wanted: on which hosts, and after how many seconds its front is killed (0: never)."""

    order: str
    places: tuple[int, ...]
    pause: str
    killed_after: float = 0.0


def wanted(seed: int, runs: int, hosts: int, killed: float = 0.0) -> Iterator[Wanted]:
    """The runs of a seed; of their fronts a part as large as `killed` is killed in the middle."""
    chance = random.Random(f"{seed}: runs")
    for number in range(runs):
        places = chance.sample(range(hosts), chance.randint(1, min(MOST_HOSTS, hosts)))
        pause, after = chance.choice(PAUSES), chance.uniform(*KILLED_WITHIN)
        yield Wanted(f"order-{number:03}", tuple(places), pause, after if chance.random() < killed else 0.0)


class Fronts:
    """Carries runs out, so many at once, each slot on a control node of its own."""

    def __init__(self, stage: Stage, slots: int, say: Callable[[str], object]) -> None:
        self._stage, self._say = stage, say
        self._free = [stage.folder / "state" / f"front-{number}" for number in range(slots)]
        self._turn = threading.Lock()
        self._pool = ThreadPoolExecutor(slots, "front")

    def run(self, all_: Iterator[Wanted], seconds: float) -> list[Front]:
        """Those of them that begin within so many seconds, to their ends."""
        until = time.monotonic() + seconds
        with self._pool:
            return [front for front in self._pool.map(partial(self._one, until), all_) if front is not None]

    def _one(self, until: float, one: Wanted) -> Front | None:
        if time.monotonic() > until:
            return None
        with self._turn:
            state = self._free.pop()
        try:
            return self._carried_out(one, state)
        finally:
            with self._turn:
                self._free.append(state)

    def _carried_out(self, one: Wanted, state: Path) -> Front:
        hosts = [self._stage.hosts.addresses[place] for place in one.places]
        where = [f"--ssh-config={self._stage.hosts.config}", f"--state-dir={state}", "--yes", "--json"]
        values = ["-p", f"order={one.order}", "-p", f"pause={one.pause}"]
        words = ["run", BOOK, f"--host={','.join(hosts)}", "--distribute", *values, *where]
        code, until = self._process(one, words, one.killed_after), time.monotonic() + PATIENCE
        while code == exit_codes.JOURNAL and not self._run_of(one) and time.monotonic() < until:
            time.sleep(AGAIN)  # the store was away, and nothing was begun: so it says, and so it is done once more
            code = self._process(one, words, one.killed_after)
        times = 0
        while code == -9 and one.killed_after and times < RESUMED_AT_MOST and (run := self._run_of(one)):
            times += 1
            self._say(f"{one.order}: its front was killed, and {run} is gone on with")
            code = self._process(one, ["resume", run, *where], 0.0)
        front = read(one.order, tuple(hosts), self._output(one), code)
        for place, host in zip(one.places, hosts, strict=True):
            if front.ended and front.told[host].outcome in OPEN:
                settle(self._stage.run_of(place), parts_of(state, front.run)[host])
        self._say(f"{one.order}: {', '.join(f'{host} {told.outcome}' for host, told in front.told.items()) or code}")
        return front

    def _process(self, one: Wanted, words: list[str], killed_after: float) -> int | None:
        out = self._output(one)
        process = self._stage.runbook(words, out, out.with_suffix(".err"))
        if killed_after and (code := process.ended(killed_after)) is not None:
            return code
        if killed_after:
            process.send(signal.SIGKILL)
        return ended(process, PATIENCE)

    def _output(self, one: Wanted) -> Path:
        return self._stage.folder / f"{one.order}.out"

    def _run_of(self, one: Wanted) -> str:
        """The id of its run, as its records have it; empty where none was told before it was killed."""
        for state in self._stage.folder.glob("state/front-*/runs/*/run.jsonl"):
            if f'"{one.order}"' in state.read_text(encoding="utf-8"):
                return state.parent.name
        return ""


def read(order: str, hosts: tuple[str, ...], output: Path, code: int | None) -> Front:
    """A run as its front has told it; without an end where the last line of its output is no summary."""
    lines = output.read_text(encoding="utf-8").splitlines()
    summary: dict[str, Any] = {}
    with suppress(json.JSONDecodeError, IndexError):
        summary = json.loads(lines[-1])
    if summary.get("event") != "summary":
        return Front(order, hosts, code=code)
    told = {
        host["host"]: Told(host["outcome"], {step["id"]: step["state"] for step in host["steps"]}, host["why"])
        for host in summary["hosts"]
    }
    return Front(order, hosts, summary["run"], code, told)


def parts_of(state: Path, run: str) -> dict[str, str]:
    """By host the ids of the parts of a run, as its front has written them down."""
    with (state / "runs" / run / "run.jsonl").open(encoding="utf-8") as lines:
        parts: dict[str, str] = json.loads(next(lines))["parts"]
    return parts


def settle(run: Path, part: str) -> None:
    """Takes away what a part has left on a host where somebody must look, as a person does who did, or a reboot.

    Else nobody would be let in there any more. Its shell has ended by then, or nothing is taken away.
    """
    lock = run / "memrunbook.lock"
    words = lock.read_text(encoding="utf-8").split() if lock.exists() else []
    if words[:1] == [part]:
        deadline = time.monotonic() + SETTLED_WITHIN
        while (shell := Path("/proc", words[-2])).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        if shell.exists():
            return
        lock.unlink(missing_ok=True)
    (run / f"memrunbook-{part}.started").unlink(missing_ok=True)
