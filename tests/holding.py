"""Processes that hold memory under a name: large enough to be listed, whatever else runs on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MIB = 1 << 20
_HOLD = """
import ctypes, sys
ctypes.CDLL(None).prctl(15, bytes.fromhex(sys.argv[2]), 0, 0, 0)  # PR_SET_NAME
held = bytearray(int(sys.argv[1])); held[::4096] = b"x" * len(held[::4096])
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(size: int, name: bytes, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this `name` that has written to `size` bytes, until the block ends; `words` end its command line."""
    command = [sys.executable, "-c", _HOLD, str(size), name.hex(), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()
