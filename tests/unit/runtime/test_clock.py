"""The real clock."""

from __future__ import annotations

import threading
import time

import pytest

from memrunbook.core.errors import Interrupted
from memrunbook.runtime.clock import SystemClock


def test_a_sleep_is_as_long_as_it_should_be() -> None:
    clock = SystemClock()
    began = clock.now()
    clock.sleep(0.25)
    assert clock.now().since(began) >= 0.25


def test_both_clocks_of_a_moment_are_this_machines() -> None:
    now = SystemClock().now()
    assert abs(now.utc - time.time()) < 60
    assert abs(now.monotonic - time.monotonic()) < 60


def test_a_sleep_ends_when_a_person_asks_to_stop() -> None:
    stop = threading.Event()
    clock = SystemClock(stop)
    clock.sleep(-1)
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Interrupted):
        clock.sleep(60)
    with pytest.raises(Interrupted):
        clock.sleep(0)
