"""procrastinate through our adapter."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from bench.queues.common import FORKS, body, go, serve, silence
from memrunbook.runtime.jobs import Job
from memrunbook.state.queue import Queue


def main(what: str, url: str) -> None:
    if what == "work":
        queue = Queue.open(Path("/"), url, stalled_after=silence(), beat=silence() / 3)
        go()
        queue.work(["here"], FORKS, body, threading.Event())
    queue = Queue.open(Path("/"), url)
    if what == "client":
        serve(lambda parts: queue.defer([Job(part, "here") for part in parts]))


if __name__ == "__main__":
    main(*sys.argv[1:3])
