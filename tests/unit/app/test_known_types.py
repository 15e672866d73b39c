"""Threads that read values of the same types at once, in a process of their own: the fault ends or hangs all of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

READ_AT_ONCE = """
import sys, threading
from contextlib import suppress
import msgspec
import memrunbook.app.working
from memrunbook import catalog
from memrunbook.app.known_types import know_types

know_types()
sys.setswitchinterval(1e-6)
began = threading.Barrier(8)

def read():
    began.wait()
    for fact in catalog.facts().values():
        with suppress(msgspec.ValidationError):
            msgspec.convert({}, fact.reading)

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("all read")
"""


@pytest.mark.slow
def test_threads_may_read_values_of_the_same_types_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_AT_ONCE], check=False, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout) == (0, "all read\n")
