from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# A heap of a thread is a mapping of 64 MiB, most of it without permissions: not yet used.
HEAPS = """
import threading
from memrunbook.runtime.heap import share_heap

def reserved(line):
    begin, _, end = line.split()[0].partition("-")
    return int(end, 16) - int(begin, 16) if " ---p " in line else 0

def fill():
    turn.wait()
    held = [bytes(30_000) for _ in range(50)]
    turn.wait()

{switch}
turn = threading.Barrier(8)
for _ in range(7):
    threading.Thread(target=fill).start()
turn.wait()
turn.wait()
with open("/proc/self/maps") as maps:
    print(sum(reserved(line) > 30 << 20 for line in maps))
"""


def heaps(switch: str) -> int:
    words = [sys.executable, "-c", HEAPS.format(switch=switch)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_have_no_heaps_of_their_own() -> None:
    assert heaps("") > 0
    assert heaps("assert share_heap()") == 0
