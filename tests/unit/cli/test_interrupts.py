from __future__ import annotations

import os
import signal
import threading

import pytest

from memrunbook.cli.interrupts import finish_then_stop


@pytest.mark.parametrize(
    ("number", "again"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")]
)
def test_the_signal_that_came_is_the_one_that_leaves_at_once(number: signal.Signals, again: str) -> None:
    stop, said = threading.Event(), list[str]()
    with finish_then_stop(stop, tell=said.append):
        os.kill(os.getpid(), number)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert said == [f"Stopping: nothing new is begun. {again} again leaves at once."]


def test_what_is_under_way_is_named() -> None:
    said = list[str]()
    with finish_then_stop(threading.Event(), lambda: ["one on web-1", "two on web-2"], said.append):
        os.kill(os.getpid(), signal.SIGTERM)
    assert said == ["Stopping after these 2 commands (one on web-1, two on web-2). SIGTERM again leaves at once."]
