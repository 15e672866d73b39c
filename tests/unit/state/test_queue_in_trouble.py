"""The queue on a real PostgreSQL while workers die, freeze and lose their server: no job is lost, and none harmed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from tests.postgres import Postgres

from memrunbook.core.errors import JournalError
from memrunbook.runtime.jobs import Job
from memrunbook.state import queue_worker
from memrunbook.state.queue import Queue
from memrunbook.state.queue_tables import FORGOTTEN, said
from memrunbook.state.store.bounded import BoundedSession

pytestmark = pytest.mark.slow
SECONDS = 60.0
PROGRAM = Path(__file__).parents[2] / "queue_process.py"
OTHERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
CUT = f"SELECT pg_terminate_backend(pid) FROM ({OTHERS}) AS others"


@pytest.fixture
def queue(server: Postgres, tmp_path: Path) -> Iterator[Queue]:
    yield Queue.open(tmp_path, server.url, stalled_after=3.0, beat=1.0)
    with psycopg.connect(server.url) as connection:
        connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def asked(queue: Queue, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(**queue.words) as connection:
        return connection.execute(question.encode()).fetchall()


def until(holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < SECONDS
        time.sleep(0.05)


@dataclass
class Hand:
    """A worker in a process of its own."""

    process: subprocess.Popen[str]
    folder: Path

    def said(self, what: str) -> list[str]:
        """The parts that it began or ended, in that order."""
        return [words[3] for words in log(self.folder) if words[1:3] == [str(self.process.pid), what]]

    def go_on(self) -> None:
        (self.folder / f"go-{self.process.pid}").touch()

    def end(self) -> str:
        """Ends it in good order; what it printed."""
        self.go_on()
        self.process.send_signal(signal.SIGTERM)
        return "".join(self.process.communicate(timeout=SECONDS))


def log(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "log").read_text().splitlines()] if (folder / "log").exists() else []


@pytest.fixture
def hands(server: Postgres, tmp_path: Path) -> Iterator[Callable[[], Hand]]:
    begun: list[Hand] = []

    def one() -> Hand:
        words = [sys.executable, str(PROGRAM), server.url, str(tmp_path)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.append(Hand(process, tmp_path))
        until(lambda: begun[-1].said("opens") == ["-"])
        return begun[-1]

    yield one
    for hand in begun:
        with suppress(ProcessLookupError):
            os.kill(hand.process.pid, signal.SIGKILL)
        hand.process.wait()


@dataclass
class Notes:
    """What a worker in a thread did, and heard of its server."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def do(self, part: str) -> None:
        self.begun.append(part)
        if part.startswith("wait"):
            assert self.go_on.wait(SECONDS)
        self.ended.append(part)


@contextmanager
def working(queue: Queue) -> Iterator[Notes]:
    notes, stop = Notes(), threading.Event()
    thread = threading.Thread(target=lambda: queue.work(["here"], 4, notes.do, stop, away=notes.away.append))
    thread.start()
    try:
        yield notes
    finally:
        notes.go_on.set()
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_the_job_of_a_worker_that_was_killed_is_begun_once_more(queue: Queue, hands: Callable[[], Hand]) -> None:
    first, second, third = hands(), hands(), hands()
    queue.defer([Job("wait-a", "here")])
    until(lambda: any(hand.said("begins") for hand in (first, second, third)))
    (killed,) = [hand for hand in (first, second, third) if hand.said("begins")]
    os.kill(killed.process.pid, signal.SIGKILL)
    others = [hand for hand in (first, second, third) if hand is not killed]
    until(lambda: any(hand.said("begins") for hand in others))
    (killed.folder / "go").touch()
    until(lambda: asked(queue, "SELECT id FROM procrastinate_jobs") == [])
    assert sorted(len(hand.said("begins")) for hand in others) == [0, 1]
    assert [hand.end() for hand in others] == ["", ""], "nothing is printed"
    assert asked(queue, "SELECT id FROM procrastinate_workers") == []


def test_one_that_was_frozen_does_no_harm_to_who_has_its_job_now(queue: Queue, hands: Callable[[], Hand]) -> None:
    frozen = hands()
    queue.defer([Job("wait-a", "here")])
    until(lambda: frozen.said("begins") == ["wait-a"])
    os.kill(frozen.process.pid, signal.SIGSTOP)
    other = hands()
    until(lambda: other.said("begins") == ["wait-a"])
    under_way = asked(queue, "SELECT id, status, attempts, worker_id FROM procrastinate_jobs")
    os.kill(frozen.process.pid, signal.SIGCONT)
    frozen.go_on()
    until(lambda: frozen.said("ends") == ["wait-a"])
    frozen.end()
    assert asked(queue, "SELECT id, status, attempts, worker_id FROM procrastinate_jobs") == under_way
    other.go_on()
    until(lambda: asked(queue, "SELECT id FROM procrastinate_jobs") == [])
    assert other.said("begins") == ["wait-a"]


def test_one_that_was_taken_for_dead_takes_jobs_again(queue: Queue, hands: Callable[[], Hand]) -> None:
    frozen = hands()
    os.kill(frozen.process.pid, signal.SIGSTOP)
    other = hands()
    until(lambda: len(asked(queue, "SELECT id FROM procrastinate_workers")) == 1)
    assert other.end() == ""
    os.kill(frozen.process.pid, signal.SIGCONT)
    queue.defer([Job("a", "here")])
    until(lambda: frozen.said("ends") == ["a"])
    assert frozen.end() == ""


def test_a_server_that_goes_in_mid_job_leaves_the_job_alone(queue: Queue, server: Postgres) -> None:
    with working(queue) as notes:
        queue.defer([Job("wait-a", "here"), Job("wait-b", "here")])
        until(lambda: len(notes.begun) == 2)
        with stopped(server):
            until(lambda: notes.away != [])
            notes.go_on.set()
            until(lambda: len(notes.ended) == 2)
        until(lambda: notes.away[-1] == "")
        until(lambda: asked(queue, "SELECT id FROM procrastinate_jobs") == [])
        queue.defer([Job("c", "here")])
        until(lambda: "c" in notes.ended)
    assert sorted(notes.begun) == ["c", "wait-a", "wait-b"], "once each"


def test_a_server_that_goes_while_nothing_is_to_do_is_waited_for(queue: Queue, server: Postgres) -> None:
    with working(queue) as notes:
        queue.defer([Job("a", "here")])
        until(lambda: notes.ended == ["a"])
        with stopped(server):
            until(lambda: notes.away != [])
        queue.defer([Job("b", "here")])
        until(lambda: notes.ended == ["a", "b"])


def test_a_worker_may_begin_and_end_while_its_server_is_away(queue: Queue, server: Postgres) -> None:
    queue.defer([Job("a", "here")])
    with stopped(server), working(queue) as notes:
        until(lambda: notes.away != [])
    assert notes.begun == []
    with stopped(server):
        later = working(queue)
        notes = later.__enter__()
        until(lambda: notes.away != [])
    until(lambda: notes.ended == ["a"])
    later.__exit__(None, None, None)


def test_connections_that_are_cut_are_made_anew(queue: Queue) -> None:
    with working(queue) as notes:
        queue.defer([Job("wait-a", "here")])
        until(lambda: notes.begun == ["wait-a"])
        assert len(asked(queue, CUT)) >= 2
        notes.go_on.set()
        until(lambda: asked(queue, "SELECT id FROM procrastinate_jobs") == [])
        asked(queue, CUT)
        queue.defer([Job("b", "here")])
        until(lambda: notes.ended == ["wait-a", "b"])
    assert notes.begun == ["wait-a", "b"]


def test_a_worker_has_no_more_than_three_connections(queue: Queue) -> None:
    with working(queue) as notes:
        queue.defer([Job(f"a{number}", "here") for number in range(50)])
        until(lambda: len(notes.ended) == 50)
        assert len(asked(queue, OTHERS)) <= 3


def test_a_job_that_was_given_in_an_answer_that_never_came_is_put_back(queue: Queue) -> None:
    with working(queue) as notes:
        until(lambda: len(asked(queue, "SELECT id FROM procrastinate_workers")) == 1)
        (number,) = queue.defer([Job("a", "elsewhere")])
        given = """UPDATE procrastinate_jobs SET status = 'doing', queue_name = 'here',
            worker_id = (SELECT max(id) FROM procrastinate_workers) RETURNING id"""
        assert asked(queue, given) == [(number,)]
        until(lambda: notes.ended == ["a"])


def test_a_job_of_which_nobody_is_told_is_found_at_the_next_look(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_worker, "POLL", 0.2)
    mute = "ALTER TABLE procrastinate_jobs {} TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1"
    with psycopg.connect(**queue.words, autocommit=True) as connection, working(queue) as notes:
        until(lambda: len(asked(queue, "SELECT id FROM procrastinate_workers")) == 1)
        connection.execute(mute.format("DISABLE").encode())
        try:
            queue.defer([Job("a", "here")])
            until(lambda: notes.ended == ["a"])
        finally:
            connection.execute(mute.format("ENABLE").encode())


def test_of_five_hundred_none_is_lost_and_none_is_under_way_twice(queue: Queue, hands: Callable[[], Hand]) -> None:
    workers = [hands() for _ in range(3)]
    parts = [f"a{number}" for number in range(500)]
    queue.defer([Job(part, "here") for part in parts])
    until(lambda: len(log(workers[0].folder)) > 200)
    asked(queue, CUT)
    until(lambda: len(log(workers[0].folder)) > 500)
    asked(queue, CUT)
    os.kill(workers[0].process.pid, signal.SIGKILL)
    until(lambda: asked(queue, "SELECT id FROM procrastinate_jobs") == [])
    dead = str(workers[0].process.pid)
    lines = log(workers[0].folder)
    assert {words[3] for words in lines if words[2] == "ends"} >= set(parts)
    under_way = Counter[str]()
    for _, pid, what, part in lines:
        if pid != dead and what in ("begins", "ends"):
            under_way[part] += 1 if what == "begins" else -1
            assert under_way[part] in (0, 1), part
    assert [worker.end() for worker in workers[1:]] == ["", ""]


def test_one_that_another_took_for_dead_is_told_so_in_words() -> None:
    error = psycopg.errors.ForeignKeyViolation('insert or update on table "procrastinate_jobs" violates')
    assert said(error) == FORGOTTEN
    assert said(psycopg.OperationalError("connection refused")) == "connection refused"


def test_a_server_that_hangs_is_left_by_whoever_asks(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedSession, "longest", 1.0)

    def frozen() -> None:
        with queue._asked() as asking:
            [(pid,)] = asking.execute("SELECT pg_backend_pid()").fetchall()
            asleep.append(pid)
            os.kill(pid, signal.SIGSTOP)
            asking.execute("SELECT 1")

    asleep: list[int] = []
    try:
        with pytest.raises(JournalError, match="the queue does not answer: no answer within 1 s"):
            frozen()
    finally:
        for pid in asleep:
            os.kill(pid, signal.SIGCONT)
