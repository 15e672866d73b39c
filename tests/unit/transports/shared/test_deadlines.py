from __future__ import annotations

import queue
import threading
import time

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
    before = threading.active_count()
    deadlines = Deadlines()
    numbers = [deadlines.set(WAIT, threading.Event().set) for _ in range(100)]
    assert threading.active_count() == before + 1
    for number in numbers:
        deadlines.take_back(number)
