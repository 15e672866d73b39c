"""A command that the pages start goes on when the server ends as it should, too."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

from memrunbook.state.asked import AskedFor
from memrunbook.web.processes import OwnCommands, now_utc

# Says when it has begun, and once more when it is let go.
STAND_IN = """
import pathlib, sys, time
place = pathlib.Path(sys.argv[1])
(place / "begun").touch()
until = time.monotonic() + 60
while not (place / "go").exists() and time.monotonic() < until: time.sleep(0.02)
(place / "done").touch()
"""


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_it_goes_on_when_the_loop_of_the_server_is_over_and_all_of_it_forgotten(tmp_path: Path) -> None:
    async def server() -> None:
        if sys.version_info < (3, 12):  # what later versions do by themselves: nothing else holds the process then
            watcher = asyncio.PidfdChildWatcher()
            watcher.attach_loop(asyncio.get_running_loop())
            asyncio.set_child_watcher(watcher)
        asked = AskedFor(at=now_utc(), what="apply", digest="d" * 64, who="ada", how="signed in by passkey")
        commands = OwnCommands((sys.executable, "-c", STAND_IN), tmp_path / "state")
        started = await commands.start((str(tmp_path),), asked)
        assert started.process.status is None
        await asyncio.to_thread(wait_for, tmp_path / "begun")

    try:
        asyncio.run(server())
    finally:
        if sys.version_info < (3, 12):
            asyncio.set_child_watcher(asyncio.ThreadedChildWatcher())  # the usual one, for other tests
    gc.collect()
    time.sleep(0.1)
    (tmp_path / "go").touch()
    wait_for(tmp_path / "done")


def test_its_end_is_known_and_it_leaves_no_zombie(tmp_path: Path) -> None:
    async def server() -> int | None:
        asked = AskedFor(at=now_utc(), what="alert", digest="d" * 64, who="ada", how="the token of alerts")
        commands = OwnCommands((sys.executable, "-c", "import sys; print(sys.stdin.read()); sys.exit(3)"), tmp_path)
        started = await commands.start((), asked, b"given")
        await asyncio.wait_for(started.over.wait(), 30)
        assert started.words == "given"
        return started.process.status

    assert asyncio.run(server()) == 3
