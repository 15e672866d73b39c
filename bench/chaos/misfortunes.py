"""What befalls a chaos, in the order and at the times that its seed says."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import psycopg

from bench.chaos.stage import Node, Stage, cut, sessions

KINDS = {"kill": 4, "freeze": 3, "postgres": 1, "connections": 4, "ssh": 5}
"""Each misfortune, and how often it comes among the others."""
APART = (1.0, 10.0)
"""Seconds between two of them."""
DOWN = (1.0, 15.0)
"""Seconds until a worker that was killed is started again."""
LONGER = (1.0, 10.0)
"""Seconds that a frozen worker is frozen for beyond the silence after which it is taken for dead."""
AWAY = (1.0, 15.0)
"""Seconds that PostgreSQL is stopped for."""
AGAIN = 2.0
"""Seconds until a worker that ended by itself is started again."""
CUT_OFF = 0.4
"""Of PostgreSQL's connections so large a part is ended at a time."""


@dataclass(frozen=True)
class Misfortune:
    """One of them: `after` how many seconds since the one before, how long it `lasts`, whom it meets (0 to 1)."""

    kind: str
    after: float
    lasts: float
    whom: float


def misfortunes(seed: int) -> Iterator[Misfortune]:
    """All that this seed has in store, without an end."""
    chance = random.Random(f"{seed}: misfortunes")
    lasts = {
        "kill": lambda: chance.uniform(*DOWN),
        "freeze": lambda: chance.uniform(*LONGER),
        "postgres": lambda: chance.uniform(*AWAY),
    }
    while True:
        [kind] = chance.choices(list(KINDS), list(KINDS.values()))
        after, whom = chance.uniform(*APART), chance.random()
        yield Misfortune(kind, after, lasts.get(kind, lambda: 0.0)(), whom)


@dataclass
class Chaos:
    """Brings misfortune over a stage, in a thread of its own, until it is told to stop; then all is mended.

    `pace` is by how much slower they come than usual. `loses` after so many seconds a node with its state directory
    for the rest; 0: none. After so many `seconds` no other misfortune comes. `died` are nodes that ended by themselves.
    """

    stage: Stage
    seed: int
    say: Callable[[str], object]
    pace: float = 1.0
    loses: float = 0.0
    seconds: float = 86400.0
    died: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    _mending: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _over: threading.Event = field(default_factory=threading.Event)
    _stopped: bool = False
    _lost: Node | None = None

    def run(self) -> None:
        """One after another; what is to be mended later is mended between them."""
        coming = misfortunes(self.seed)
        began = time.monotonic()
        one = next(coming)
        due = began + one.after * self.pace
        while not self._over.is_set():
            now = time.monotonic()
            if self.loses and self._lost is None and now > began + self.loses and self._loses(one):
                continue
            self._begin_again()
            if self._mending and self._mending[0][0] <= now:
                heapq.heappop(self._mending)[2]()
            elif due <= now and now - began < self.seconds:
                self._befall(one)
                one = next(coming)
                due = time.monotonic() + one.after * self.pace
            else:
                self._over.wait(0.05)

    def end(self, thread: threading.Thread) -> None:
        """No more of it: PostgreSQL and every worker are there again."""
        self._over.set()
        thread.join()
        for _, _, does in sorted(self._mending, key=lambda one: one[2] != self._start_postgres):
            does()  # PostgreSQL first: without it no worker begins
        if self._lost is not None:
            self._lost.bring_back()
            self.say(f"{self._lost.name} is back with its state directory")

    def _begin_again(self) -> None:
        for node in self.stage.nodes:
            if node.died:
                if node.began:  # else the store was away when it began, as it says
                    self.died.append(node.name)
                self.say(f"{node.name} ended by itself: see its log")
                node.kill()
                self._later(AGAIN, node.start)

    def _befall(self, one: Misfortune) -> None:
        does = {
            "kill": self._kill,
            "freeze": self._freeze,
            "postgres": self._stop_postgres,
            "connections": self._end_connections,
            "ssh": self._cut,
        }
        if told := does[one.kind](one):
            self.counted[one.kind] += 1
            self.say(told)

    def _one_that_works(self, one: Misfortune) -> Node | None:
        nodes = [node for node in self.stage.nodes if node.works]
        return nodes[int(one.whom * len(nodes))] if nodes else None

    def _kill(self, one: Misfortune) -> str:
        if (node := self._one_that_works(one)) is None:
            return ""
        node.kill()
        self._later(one.lasts, node.start)
        return f"{node.name} is killed for {one.lasts:.1f} s"

    def _freeze(self, one: Misfortune) -> str:
        if (node := self._one_that_works(one)) is None:
            return ""
        node.freeze()
        lasts = self.stage.stalled_after + one.lasts
        self._later(lasts, node.thaw)
        return f"{node.name} is frozen for {lasts:.1f} s"

    def _loses(self, one: Misfortune) -> bool:
        if (node := self._one_that_works(one)) is None:
            return False
        node.lose()
        self._lost = node
        self.counted["lost node"] += 1
        self.say(f"{node.name} is gone with its state directory")
        return True

    def _stop_postgres(self, one: Misfortune) -> str:
        if self._stopped:
            return ""
        self.stage.postgres.stop()
        self._stopped = True
        self._later(one.lasts, self._start_postgres)
        return f"PostgreSQL is stopped for {one.lasts:.1f} s"

    def _start_postgres(self) -> None:
        self.stage.postgres.start()
        self._stopped = False

    def _end_connections(self, one: Misfortune) -> str:
        ended = 0
        with (
            suppress(psycopg.Error),
            psycopg.connect(self.stage.postgres.url, autocommit=True, connect_timeout=5) as connection,
        ):
            backends = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY pid"
            chance = random.Random(one.whom)
            for (pid,) in connection.execute(backends).fetchall():
                if pid != connection.info.backend_pid and chance.random() < CUT_OFF:
                    connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                    ended += 1
        return f"{ended} connections to PostgreSQL are ended" if ended else ""

    def _cut(self, one: Misfortune) -> str:
        there = sessions(self.stage)
        if not there:
            return ""
        place = sorted(there)[int(one.whom * len(there))]
        cut(there[place])
        return f"the connections to {self.stage.hosts.addresses[place]} are cut"

    def _later(self, seconds: float, does: Callable[[], object]) -> None:
        heapq.heappush(self._mending, (time.monotonic() + seconds, next(self._order), does))
