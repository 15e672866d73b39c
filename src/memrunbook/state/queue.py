"""The queue of several control nodes: jobs by procrastinate, in the PostgreSQL database that holds the store."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memrunbook.core.errors import UsageError
from memrunbook.runtime.jobs import Do, Job, TellAway, TellFailed
from memrunbook.runtime.outside import is_server
from memrunbook.state.queue_statements import TASK
from memrunbook.state.store.database import address, libpq, shown_url

if TYPE_CHECKING:
    # An extra, and a quarter of a second: who only looks at plans loads neither.
    import psycopg
    from procrastinate.jobs import Job as Row

EXTRA = "pip install 'memrunbook[cluster]'"
NEEDS = "jobs for several control nodes need"
SILENT = ("procrastinate", "psycopg", "psycopg.pool")
"""Loggers of what we report ourselves."""
STALLED_AFTER, BEAT = 30.0, 10.0
"""Seconds after which the jobs of a worker that died are put back; seconds between two signs of life."""
TURN = "memrunbook: jobs are deferred"
"""What the server is asked to lock by: two who defer the same parts at once would each wait for the other."""
LONGEST = 40
"""Bytes of a queue's name: behind procrastinate's own words PostgreSQL takes no more for a channel."""
WAITING = "SELECT queueing_lock, id FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(%s)"
WITHDRAWN = "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND id = ANY(%s) RETURNING id"


@dataclass(frozen=True)
class Queue:
    """The queue on a server; safe with several threads and processes.

    A worker has three connections: two that ask, one that listens. Whoever defers or withdraws has one meanwhile.
    """

    words: Mapping[str, Any]
    name: str
    stalled_after: float = STALLED_AFTER
    beat: float = BEAT

    @classmethod
    def open(
        cls, state: Path, place: str, password: str = "", *, stalled_after: float = STALLED_AFTER, beat: float = BEAT
    ) -> Queue:
        """The queue beside the store at this URL, its tables up to date; `beat` less than half of `stalled_after`.

        UsageError where that is no server, or the extra is missing; JournalError where it does not answer; Refused
        where this node's clock is too far from the server's.
        """
        if not is_server(place):
            raise UsageError(f"{NEEDS} a store on PostgreSQL", hint="write --store postgresql://USER@HOST/DATABASE")
        where = address(state, place, password)
        _loaded()
        from memrunbook.state.queue_clock import refuse_wrong_clock
        from memrunbook.state.queue_tables import make

        queue = cls(libpq(where), shown_url(where), stalled_after, beat)
        with queue._asked() as connection:
            refuse_wrong_clock(partial(_time_there, connection))
            make(connection, queue.name)
        return queue

    def defer(self, jobs: Sequence[Job]) -> tuple[int, ...]:
        """Puts all of them or none, and returns their numbers; for a part that waits already, the number it has."""
        from procrastinate.exceptions import AlreadyEnqueued

        while True:
            try:
                with self._asked() as connection:
                    return _deferred(connection, jobs)
            except AlreadyEnqueued:
                continue  # one that was under way was put back meanwhile

    def withdraw(self, numbers: Collection[int]) -> frozenset[int]:
        """Takes back those that wait, and returns them: they will not be begun. The others are under way or ended."""
        with self._asked() as connection:
            return frozenset(row[0] for row in connection.execute(WITHDRAWN, (list(numbers),)))

    def work(  # noqa: PLR0913  the port's
        self,
        sites: Collection[str],
        forks: int,
        do: Do,
        stop: threading.Event,
        *,
        failed: TellFailed = lambda _part, _error: None,
        away: TellAway = lambda _why: None,
    ) -> None:
        """Does jobs of these sites until `stop` is set; see the port."""
        import asyncio

        from memrunbook.state.queue_worker import Wishes, Worker

        queues = [_queue(site) for site in sorted(sites)]
        wishes = Wishes(queues, forks, do, stop, failed, away, self.stalled_after, self.beat)
        asyncio.run(Worker(self.words, wishes).work())

    @contextmanager
    def _asked(self) -> Iterator[psycopg.Connection]:
        """A transaction on a connection of its own, which a server that hangs does not keep."""
        from memrunbook.state.queue_tables import explained
        from memrunbook.state.store.bounded import BoundedSession

        with explained(self.name), BoundedSession.connect(**self.words) as connection:
            yield connection


def _time_there(connection: psycopg.Connection) -> float:
    [(seconds,)] = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchall()
    return float(seconds)


def _loaded() -> None:
    """UsageError where the extra is missing; from now on its libraries print nothing on the terminal."""
    try:
        import procrastinate.schema  # noqa: F401
        import psycopg_pool  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{NEEDS} {error.name or 'an extra'}", hint=EXTRA) from None
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _deferred(connection: psycopg.Connection, jobs: Sequence[Job]) -> tuple[int, ...]:
    from procrastinate.manager import JobManager
    from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

    from memrunbook.state.queue_tables import TURN as LOCK

    connection.execute(LOCK, (TURN,))
    rows = {job.part: _row(job) for job in reversed(jobs)}  # the first of two for one part counts
    numbers: dict[str, int] = dict(connection.execute(WAITING, (list(rows),)).fetchall())
    new = [rows[part] for part in dict.fromkeys(job.part for job in jobs) if part not in numbers]
    if new:
        made = JobManager(SyncPsycopgConnector()).batch_defer_jobs(new, connection=connection)
        numbers |= {str(row.queueing_lock): row.id or 0 for row in made}
    return tuple(numbers[job.part] for job in jobs)


def _row(job: Job) -> Row:
    from procrastinate.jobs import Job as Row

    return Row(
        queue=_queue(job.site),
        priority=job.priority,
        lock=f"lock:{job.lock}" if job.lock else f"part:{job.part}",
        queueing_lock=job.part,
        task_name=TASK,
        task_kwargs={"part": job.part},
    )


def _queue(site: str) -> str:
    return site if len(site.encode()) <= LONGEST else hashlib.sha256(site.encode()).hexdigest()[:LONGEST]
