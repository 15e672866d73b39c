"""What the contestants have in common: the body of a job, and what they are told on their standard input."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

FORKS = 4


def body(part: str) -> None:
    """Leaves a line when it begins and when it ends; `wait…` ends as soon as LOG.go is there."""
    say(f"begins {part}")
    while part.startswith("wait") and not Path(f"{sys.argv[3]}.go").exists():
        time.sleep(0.01)
    say(f"ends {part}")


def say(what: str) -> None:
    log = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, f"{time.time():.6f} {os.getpid()} {what}\n".encode())
    os.close(log)


def go() -> None:
    """Returns when the start is given, having loaded all that is needed."""
    say("ready -")
    while not Path(sys.argv[4]).exists():
        time.sleep(0.002)


def silence() -> float:
    """Seconds after which a worker that is not heard of counts as dead."""
    return float(sys.argv[5])


def serve(defer: Callable[[list[str]], object]) -> None:
    """Defers what is asked for on standard input, `COUNT PREFIX` a line; says when it began and when it was done."""
    print("ready", flush=True)
    for line in sys.stdin:
        count, prefix = line.split()
        began = time.time()
        defer([prefix if count == "1" else f"{prefix}-{number}" for number in range(int(count))])
        print(began, time.time(), flush=True)
