"""Jobs, on the double that is shipped and on a real PostgreSQL: what a worker, and whoever defers, may rely on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from tests.postgres import Postgres

from memrunbook.core.errors import JournalError, UsageError
from memrunbook.runtime.jobs import GiveBack, Job, Jobs
from memrunbook.state import queue as queue_module
from memrunbook.state import queue_worker
from memrunbook.state.queue import Queue
from memrunbook.testing import MemoryJobs

SECONDS = 30.0


@pytest.fixture(params=["memory", "postgresql"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Jobs]:
    if request.param == "memory":
        yield MemoryJobs()
        return
    server: Postgres = request.getfixturevalue("server")
    yield Queue.open(tmp_path, server.url, stalled_after=3.0, beat=1.0)
    emptied(server)


@pytest.fixture
def queue(server: Postgres, tmp_path: Path) -> Iterator[Queue]:
    yield Queue.open(tmp_path, server.url, stalled_after=3.0, beat=1.0)
    emptied(server)


def emptied(server: Postgres) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@dataclass
class Done:
    """What was begun, in its order, and how often each part was under way at once."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    away: list[str] = field(default_factory=list)
    failed: list[tuple[str, BaseException]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def doing(self, do: Callable[[str], object]) -> Callable[[str], object]:
        """`do`, remembered."""

        def remembered(part: str) -> None:
            with self.changed:
                self.begun.append(part)
                self.under_way[part] += 1
                self.under_way["any"] += 1
                for name in (part, "any"):
                    self.most[name] = max(self.most[name], self.under_way[name])
                self.changed.notify_all()
            try:
                do(part)
            finally:
                with self.changed:
                    self.under_way[part] -= 1
                    self.under_way["any"] -= 1
                    self.ended.append(part)
                    self.changed.notify_all()

        return remembered

    def told_away(self, why: str) -> None:
        with self.changed:
            self.away.append(why)
            self.changed.notify_all()

    def told_failed(self, part: str, error: BaseException) -> None:
        self.failed.append((part, error))

    def until(self, holds: Callable[[Done], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self), SECONDS), f"{self.begun}, {self.away}, {self.failed}"


@contextmanager
def working(
    jobs: Jobs, do: Callable[[str], object] = lambda _: None, *, sites: tuple[str, ...] = ("here",), forks: int = 4
) -> Iterator[Done]:
    """A worker in a thread of its own, until the end of the block."""
    done, stop = Done(), threading.Event()

    def work() -> None:
        jobs.work(sites, forks, done.doing(do), stop, failed=done.told_failed, away=done.told_away)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def nothing_left(jobs: Jobs, server: Postgres | None = None) -> bool:
    if isinstance(jobs, MemoryJobs):
        return not jobs.kept
    assert isinstance(jobs, Queue)
    with psycopg.connect(**jobs.words) as connection:
        return rows(connection, "SELECT * FROM procrastinate_jobs") == []


def rows(connection: psycopg.Connection, question: str) -> list[tuple[object, ...]]:
    return connection.execute(question.encode()).fetchall()


def until(holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < SECONDS
        time.sleep(0.05)


def test_each_job_of_its_sites_is_done_once_and_is_gone(jobs: Jobs) -> None:
    numbers = jobs.defer([Job("a", "here"), Job("b", "here"), Job("elsewhere", "there")])
    assert len(set(numbers)) == 3
    with working(jobs) as done:
        done.until(lambda it: len(it.ended) == 2)
    assert sorted(done.begun) == ["a", "b"]
    assert jobs.withdraw(numbers) == {numbers[2]}
    assert nothing_left(jobs)


def test_a_part_that_waits_is_not_put_twice(jobs: Jobs) -> None:
    first, again = jobs.defer([Job("a", "here"), Job("a", "here")])
    assert jobs.defer([Job("b", "here"), Job("a", "here")])[1] == first == again
    with working(jobs) as done:
        done.until(lambda it: len(it.ended) == 2)
    assert sorted(done.begun) == ["a", "b"]


def test_what_is_withdrawn_is_never_begun_and_what_is_under_way_is_not_withdrawn(jobs: Jobs) -> None:
    go_on = threading.Event()
    with working(jobs, lambda _: go_on.wait(SECONDS), forks=1) as done:
        (first,) = jobs.defer([Job("a", "here")])
        done.until(lambda it: it.begun == ["a"])
        second, third = jobs.defer([Job("b", "here"), Job("c", "here")])
        assert jobs.withdraw([first, second, 10**12]) == {second}
        go_on.set()
        done.until(lambda it: len(it.ended) == 2)
        assert jobs.withdraw([third]) == frozenset()
    assert done.begun == ["a", "c"]


def test_the_higher_priority_comes_first_then_who_came_first(jobs: Jobs) -> None:
    parts = [("low", -1), ("first", 0), ("second", 0), ("urgent", 5)]
    jobs.defer([Job(part, "here", priority=priority) for part, priority in parts])
    with working(jobs, forks=1) as done:
        done.until(lambda it: len(it.ended) == 4)
    assert done.begun == ["urgent", "first", "second", "low"]


def test_of_jobs_with_one_lock_one_is_under_way_over_all_workers(jobs: Jobs) -> None:
    jobs.defer([Job(f"a{number}", "here", lock="host") for number in range(12)])
    with working(jobs) as first, working(jobs) as second:
        began = time.monotonic()
        until(lambda: len(first.ended) + len(second.ended) == 12)
        assert time.monotonic() - began < SECONDS
    spans = Counter([*first.begun, *second.begun])
    assert set(spans.values()) == {1}
    assert first.most["any"] <= 1
    assert second.most["any"] <= 1


def test_two_workers_never_hold_one_lock_at_once(jobs: Jobs) -> None:
    held, twice = threading.Lock(), []

    def alone(part: str) -> None:
        if not held.acquire(blocking=False):
            twice.append(part)
            return
        held.release()

    jobs.defer([Job(f"a{number}", "here", lock="host") for number in range(20)])
    with working(jobs, alone) as first, working(jobs, alone) as second:
        until(lambda: len(first.ended) + len(second.ended) == 20)
    assert twice == []


def test_no_more_than_its_forks_are_under_way(jobs: Jobs) -> None:
    both = threading.Barrier(3)
    jobs.defer([Job(f"a{number}", "here") for number in range(9)])
    with working(jobs, lambda _: both.wait(SECONDS), forks=3) as done:
        done.until(lambda it: len(it.ended) == 9)
    assert done.most["any"] == 3


def test_what_is_given_back_is_begun_again_and_is_no_failure(jobs: Jobs) -> None:
    times: list[str] = []

    def twice(part: str) -> None:
        times.append(part)
        if len(times) < 3:
            raise GiveBack(0.05)

    jobs.defer([Job("a", "here")])
    with working(jobs, twice) as done:
        done.until(lambda it: len(it.ended) == 3)
    assert done.begun == ["a"] * 3
    assert done.failed == []
    assert nothing_left(jobs)


def test_what_raises_is_told_and_begun_again(jobs: Jobs) -> None:
    times: list[str] = []

    def once_wrong(part: str) -> None:
        times.append(part)
        if len(times) == 1:
            raise ValueError("no such host")

    jobs.defer([Job("a", "here")])
    with working(jobs, once_wrong) as done:
        done.until(lambda it: len(it.ended) == 2)
    assert [(part, str(error)) for part, error in done.failed] == [("a", "no such host")]
    assert nothing_left(jobs)


def test_one_put_back_is_let_go_of_where_another_for_its_part_waits(jobs: Jobs) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def first_gives_back(_: str) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(SECONDS)
            raise GiveBack(0.0)

    jobs.defer([Job("a", "here")])
    with working(jobs, first_gives_back) as done:
        assert begun.wait(SECONDS)
        jobs.defer([Job("a", "here")])
        go_on.set()
        done.until(lambda it: len(it.ended) == 2)
        until(lambda: nothing_left(jobs))
    assert done.begun == ["a", "a"]
    assert done.most["a"] == 1, "a part is nowhere under way twice"


def test_a_job_that_waits_when_its_worker_stops_is_left_to_others(jobs: Jobs) -> None:
    go_on = threading.Event()
    with working(jobs, lambda _: go_on.wait(SECONDS), forks=1) as done:
        jobs.defer([Job("a", "here"), Job("b", "here")])
        done.until(lambda it: it.begun == ["a"])
        threading.Timer(0.2, go_on.set).start()
    assert done.ended == ["a"], "it waited for the one under way"
    with working(jobs) as later:
        later.until(lambda it: it.ended == ["b"])


def test_each_job_is_either_withdrawn_or_done(jobs: Jobs) -> None:
    numbers = jobs.defer([Job(f"a{number}", "here") for number in range(60)])
    parts = dict(zip(numbers, (f"a{number}" for number in range(60)), strict=True))
    with working(jobs, forks=2) as done:
        gone = frozenset[int]().union(*(jobs.withdraw([number]) for number in reversed(numbers)))
        done.until(lambda it: len(it.ended) + len(gone) == 60)
    assert sorted(done.begun) == sorted(part for number, part in parts.items() if number not in gone)


def test_what_is_deferred_while_nothing_is_to_do_is_told_and_needs_no_look(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_worker, "POLL", 10 * SECONDS)
    with working(queue) as done:
        queue.defer([Job("first", "here")])
        done.until(lambda it: it.ended == ["first"])
        until(lambda: nothing_left(queue))
        queue.defer([Job("second", "here")])
        done.until(lambda it: it.ended == ["first", "second"])


def test_a_worker_that_stopped_is_forgotten(queue: Queue) -> None:
    with working(queue) as done:
        queue.defer([Job("a", "here")])
        done.until(lambda it: it.ended == ["a"])
    with psycopg.connect(**queue.words) as connection:
        assert rows(connection, "SELECT * FROM procrastinate_workers") == []


def test_a_name_of_a_site_may_be_as_long_as_any(queue: Queue) -> None:
    site = "s" * 64
    with working(queue, sites=(site,)) as done:
        queue.defer([Job("a", site)])
        done.until(lambda it: it.ended == ["a"])


def test_tables_are_made_once_by_many_at_once(server: Postgres, tmp_path: Path) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE several")
    url, problems = server.url.removesuffix("postgres") + "several", list[Exception]()

    def open_it() -> None:
        try:
            Queue.open(tmp_path, url)
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_tables_of_a_newer_version_and_those_of_others_are_refused(server: Postgres, tmp_path: Path) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE newer")
    url = server.url.removesuffix("postgres") + "newer"
    Queue.open(tmp_path, url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE queue_version SET migration = '99.00.00_01'")
        with pytest.raises(JournalError, match="newer version of procrastinate") as error:
            Queue.open(tmp_path, url)
        assert "memrunbook[cluster]" in error.value.hint
        connection.execute("DROP TABLE queue_version")
        with pytest.raises(JournalError, match="another program"):
            Queue.open(tmp_path, url)


def test_tables_of_an_older_version_are_brought_up_to_date(server: Postgres, tmp_path: Path) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE older")
    url = server.url.removesuffix("postgres") + "older"
    Queue.open(tmp_path, url)
    with psycopg.connect(url, autocommit=True) as connection:
        (newest,) = rows(connection, "SELECT migration FROM queue_version")
        connection.execute("DROP FUNCTION procrastinate_retry_job_v2")
        connection.execute("ALTER TYPE procrastinate_job_event_type RENAME VALUE 'retried' TO 'old'")
        connection.execute("UPDATE queue_version SET migration = '03.03.00_01_pre_priority_lock_fetch_job'")
        opened = Queue.open(tmp_path, url)
        assert rows(connection, "SELECT migration FROM queue_version") == [newest]
    with working(opened) as done:
        opened.defer([Job("a", "here")])
        done.until(lambda it: it.ended == ["a"])


def test_a_file_holds_no_queue(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jobs for several control nodes need a store on PostgreSQL"):
        Queue.open(tmp_path, str(tmp_path / "store.sqlite"))


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "procrastinate.schema", None)
    with pytest.raises(UsageError, match="jobs for several control nodes need procrastinate") as error:
        queue_module._loaded()
    assert error.value.hint == "pip install 'memrunbook[cluster]'"


def test_a_server_that_is_not_there_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="the queue does not answer"):
        Queue.open(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
