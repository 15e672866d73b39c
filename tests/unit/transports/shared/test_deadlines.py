from __future__ import annotations

import queue
import threading
import time
from typing import Any

import pytest

from memrunbook.transports.shared.deadlines import Deadlines

SOON, LATE, WAIT = 0.05, 0.3, 5.0


def test_the_earlier_deadline_comes_first_whoever_set_it_first() -> None:
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    deadlines = Deadlines()
    deadlines.set(LATE, lambda: done.put("late"))
    deadlines.set(SOON, lambda: done.put("soon"))
    assert [done.get(timeout=WAIT), done.get(timeout=WAIT)] == ["soon", "late"]
    deadlines.set(0.0, lambda: done.put("at once"))
    assert done.get(timeout=WAIT) == "at once"


def test_what_was_taken_back_is_not_done_and_holds_nothing() -> None:
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    deadlines = Deadlines()
    early = deadlines.set(SOON, lambda: done.put("early"))
    deadlines.set(LATE, lambda: done.put("late"))
    deadlines.take_back(early)
    deadlines.take_back(early)
    assert done.get(timeout=WAIT) == "late"
    assert done.empty()


def test_one_that_takes_its_time_delays_no_other() -> None:
    free, done = threading.Event(), threading.Event()
    deadlines = Deadlines()
    deadlines.set(0.0, lambda: free.wait(WAIT))
    began = time.monotonic()
    deadlines.set(SOON, done.set)
    assert done.wait(WAIT)
    free.set()
    assert time.monotonic() - began < WAIT / 2


def test_many_deadlines_have_one_thread() -> None:
    before = _looking()
    deadlines = Deadlines()
    numbers = [deadlines.set(WAIT, threading.Event().set) for _ in range(100)]
    assert _looking() == before + 1
    for number in numbers:
        deadlines.take_back(number)


def _looking() -> int:
    """Threads that look after deadlines: those of what is done end when they please."""
    return [thread.name for thread in threading.enumerate()].count("deadlines")


def test_a_machine_without_threads_keeps_its_deadlines_once_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """ulimit -u, or pids.max of the unit in which we run."""
    plain, left, done = threading.Thread.start, [2], threading.Event()
    deadlines = Deadlines()
    deadlines.set(LATE, threading.Event().set)

    def start(thread: threading.Thread, *words: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("can't start new thread")
        plain(thread, *words)

    monkeypatch.setattr(threading.Thread, "start", start)
    deadlines.set(0.0, done.set)
    assert done.wait(WAIT)
    assert not left[0]


def test_where_not_even_its_own_thread_starts_it_is_said_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines, done = Deadlines(), threading.Event()

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="new thread"):
            deadlines.set(0.0, done.set)
    deadlines.set(0.0, done.set)
    assert done.wait(WAIT)
