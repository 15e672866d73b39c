"""A worker of the queue: procrastinate's, kept at work while the server is away, and fenced by who began a job when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job as Row
from procrastinate.manager import JobManager, NotificationCallback, get_channel_for_queues
from psycopg.sql import SQL, Identifier

from memrunbook.runtime.jobs import Do, GiveBack, TellAway, TellFailed
from memrunbook.state.queue_link import LATE, SOON, ServerLink, pool
from memrunbook.state.queue_statements import BEATS, DONE, GIVEN_BACK, LEFT, RESCUED, TASK

POLL = 5.0
"""Seconds between two looks for jobs of which nobody told: those that were given back for a time by others."""
LONGEST_DELAY = 300.0
"""Seconds that a job rests at most that failed again and again."""
HUSH = 30.0
"""Seconds in which nothing was told after which it is asked whether the connection still stands."""
MOMENT = 1.0
"""Seconds in which it is noticed that a cancellation was swallowed."""
NEVER = 86400.0


@dataclass(frozen=True)
class Wishes:
    """What a worker is to do, for whom, how many at a time, until when, and whom it tells what; seconds."""

    queues: Sequence[str]
    forks: int
    do: Do
    stop: threading.Event
    failed: TellFailed
    away: TellAway
    stalled_after: float
    beat: float


class Worker:
    """One worker, for one call of `work`. Nothing that its server does ends it: it asks again."""

    def __init__(self, words: Mapping[str, Any], wishes: Wishes) -> None:
        self.words = dict(words)
        self.wishes = wishes
        self.link = ServerLink(pool(words), wishes.away, wishes.stalled_after - wishes.beat)
        self.number: int | None = None
        self.held: dict[int, Row] = {}
        """The jobs under way, by number, until their end is acknowledged."""
        self.fetching = asyncio.Lock()
        self.app = App(connector=PsycopgConnector())
        self.jobs = self.app.job_manager = PatientJobs(self.app.connector, self)
        self.link.back = self.jobs.wake
        self.app.task(name=TASK, pass_context=True)(self._part)
        self.threads = ThreadPoolExecutor(wishes.forks, "job")

    async def work(self) -> None:
        """Works until it is told to stop."""
        await self.link.pool.open(wait=False)
        try:
            with self.threads:
                await self._work()
                await self._leave()
        finally:
            await self.link.pool.close()

    async def _work(self) -> None:
        await self.app.open_async(self.link.pool)
        working = asyncio.create_task(
            self.app.run_worker_async(
                queues=self.wishes.queues,
                concurrency=self.wishes.forks,
                fetch_job_polling_interval=POLL,
                abort_job_polling_interval=NEVER,
                update_heartbeat_interval=NEVER,  # procrastinate's ends where jobs are waited for at the end
                install_signal_handlers=False,
            )
        )
        beating = asyncio.create_task(self._live())
        threading.Thread(target=self._watch, args=(working, asyncio.get_running_loop()), daemon=True).start()
        try:
            await asyncio.wait([working])
        finally:
            while not beating.done():  # on Python 3.11 an answer that comes at that moment swallows it
                beating.cancel()
                await asyncio.wait([beating], timeout=MOMENT)
        if not working.cancelled():
            working.result()

    def _watch(self, working: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> None:
        self.wishes.stop.wait()
        with suppress(RuntimeError):  # it ended by itself
            loop.call_soon_threadsafe(working.cancel)

    async def _part(self, context: JobContext, part: str, failures: int = 0) -> None:
        """Does one job in a thread; what is under way goes on whatever the server does, and is acknowledged after."""
        loop = asyncio.get_running_loop()
        error = await loop.run_in_executor(self.threads, self._ended_by, part)
        values = self._fence(context.job)
        if error is None:
            await self.link.lasting(DONE, values, self.wishes.stop)
        else:
            given = isinstance(error, GiveBack)
            seconds = error.seconds if isinstance(error, GiveBack) else min(2.0**failures, LONGEST_DELAY)
            values |= {"seconds": seconds, "failures": failures if given else min(failures + 1, 30)}
            await self.link.lasting(GIVEN_BACK, values, self.wishes.stop)
            loop.call_later(seconds, self.jobs.wake)
        if self.held.get(context.job.id or 0) is context.job:  # else it was put back, and is this worker's again
            del self.held[context.job.id or 0]

    def _ended_by(self, part: str) -> BaseException | None:
        try:
            self.wishes.do(part)
        except GiveBack as back:
            return back
        except BaseException as error:  # noqa: BLE001  the job is put back, whatever it was
            with suppress(Exception):
                self.wishes.failed(part, error)
            return error
        return None

    def _fence(self, row: Row) -> dict[str, Any]:
        return {"job": row.id, "attempts": row.attempts, "worker": self.number}

    async def _live(self) -> None:
        delay = SOON
        while True:
            await asyncio.sleep(delay if self.link.why or self.number is None else self.wishes.beat)
            try:
                if self.number is not None:
                    await self._beat()
                    delay = SOON
            except Exception as error:  # noqa: BLE001  asked again, whatever it was
                self.link.lost(error)
                delay = min(2 * delay, LATE, self.wishes.beat)

    async def _beat(self) -> None:
        """A sign of life; and puts back what the server gave this worker without its knowing, and what the dead had."""
        async with self.fetching:
            known = {"worker": self.number, "known": list(self.held)}
            for job, attempts in await self.link.ask(BEATS, known):
                values = {"job": job, "attempts": attempts, "worker": self.number}
                await self.link.ask(GIVEN_BACK, {**values, "seconds": 0.0, "failures": 0})
        if self.link.may_judge:
            await self.jobs.rescue(self.link.silence)

    async def _leave(self) -> None:
        if self.number is not None:
            with suppress(psycopg.Error):
                await self.link.ask(LEFT, {"worker": self.number})


class PatientJobs(JobManager):
    """procrastinate's own questions of the server: none ends the worker, and what ends a job is asked by `Worker`."""

    def __init__(self, connector: Any, worker: Worker) -> None:
        super().__init__(connector)
        self._worker = worker
        self._tell: NotificationCallback | None = None
        self._news = 0

    def wake(self) -> None:
        """Lets the worker look for jobs now."""
        self._news += 1
        if self._tell is not None:
            told = self._tell(channel="", notification={"type": "job_inserted", "job_id": 0})
            self._waking = asyncio.ensure_future(told)

    async def register_worker(self) -> int:
        """Its number, as soon as the server gives it one."""
        while True:
            try:
                self._worker.number = await super().register_worker()
            except Exception as error:  # noqa: BLE001  asked again, whatever it was
                self._worker.link.lost(error)
                await asyncio.sleep(LATE)
            else:
                self._worker.link.answered()
                return self._worker.number

    async def fetch_job(self, queues: Any, worker_id: int) -> Row | None:
        """The next job, None where there is none or no answer; what was told meanwhile is looked for again."""
        while True:
            news = self._news
            async with self._worker.fetching:
                try:
                    job = await super().fetch_job(queues=queues, worker_id=worker_id)
                except UniqueViolation:
                    continue  # another one began a job with the same lock at the same moment
                except Exception as error:  # noqa: BLE001  asked again, whatever it was
                    self._worker.link.lost(error)
                    return None
                if job is not None and job.id is not None:
                    self._worker.held[job.id] = job
            self._worker.link.answered()
            if job is not None or news == self._news:
                return job

    async def listen_for_jobs(self, *, on_notification: NotificationCallback, queues: Any = None) -> None:
        """Is told of new jobs, for as long as the worker works; looks once it listens: before it was told nothing."""
        self._tell, delay = on_notification, SOON
        while not _cancelled():
            try:
                async with await psycopg.AsyncConnection.connect(**self._worker.words, autocommit=True) as connection:
                    for channel in get_channel_for_queues(queues):
                        await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                    delay = SOON
                    await self._listen(connection)
            except psycopg.Error as error:
                self._worker.link.lost(error)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LATE)

    async def _listen(self, connection: psycopg.AsyncConnection) -> None:
        while not _cancelled():
            self.wake()
            quiet = 0.0
            while quiet < HUSH and not _cancelled():
                quiet += MOMENT
                async for _ in connection.notifies(timeout=MOMENT):
                    self.wake()
                    quiet = 0.0
            await connection.execute("SELECT 1")

    async def rescue(self, silence: float) -> None:
        """Puts back the jobs of workers that gave no sign of life for so many seconds, and forgets these."""
        for row in await self.get_stalled_jobs(seconds_since_heartbeat=silence):
            failures = int(str(row.task_kwargs.get("failures", 0)))
            values = {"job": row.id, "attempts": row.attempts, "silence": silence, "seconds": 0.0, "failures": failures}
            with suppress(psycopg.errors.UniqueViolation):  # next time, where one for its part was deferred meanwhile
                await self._worker.link.ask(RESCUED, values)
        await super().prune_stalled_workers(silence)

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Not when a worker begins: its jobs are put back first."""
        del seconds_since_heartbeat
        return []

    async def unregister_worker(self, worker_id: int) -> None:
        """Not before its last job has ended and its signs of life with it."""
        del worker_id

    async def finish_job(self, job: Row, status: Any, delete_job: bool) -> None:  # noqa: FBT001  procrastinate's own
        """Not by its number alone, as here: by then it may be another worker's."""
        del job, status, delete_job


def _cancelled() -> bool:
    """True where this task was cancelled, even if what it waited for came at that moment and swallowed it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
