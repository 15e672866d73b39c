from __future__ import annotations

import threading
import time

import pytest

from memrunbook.app.once import Once
from memrunbook.core.errors import UsageError


def test_many_threads_ask_and_it_is_made_once() -> None:
    made: list[int] = []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    once, found = Once(make), list[int]()
    threads = [threading.Thread(target=lambda: found.append(once())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 5


def test_what_cannot_be_made_is_an_error_for_each_who_asks() -> None:
    def make() -> int:
        raise UsageError("no such file")

    once = Once(make)
    for _ in range(2):
        with pytest.raises(UsageError, match="no such file"):
            once()
