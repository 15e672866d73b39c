"""A worker in a process of its own: `python queue_process.py URL FOLDER`. What it begins and ends stands in FOLDER/log.

A part named `wait…` goes on once FOLDER/go or FOLDER/go-PID is there; any other is done in a moment.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from memrunbook.state.queue import Queue


def main(url: str, folder: Path) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def say(what: str, part: str) -> None:
        line = f"{time.monotonic():.4f} {os.getpid()} {what} {part}\n"
        log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, line.encode())
        os.close(log)

    def do(part: str) -> None:
        say("begins", part)
        mine = folder / f"go-{os.getpid()}"
        while part.startswith("wait") and not (mine.exists() or (folder / "go").exists()):
            time.sleep(0.02)
        time.sleep(0.005)
        say("ends", part)

    # Signals are taken by the main thread, which asyncio has.
    queue = Queue.open(folder, url, stalled_after=3.0, beat=1.0)
    say("opens", "-")
    queue.work(["here"], 4, do, stop)
    say("leaves", "-")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
