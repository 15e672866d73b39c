"""Makes a machine look busy: so many sleeping processes, spread over so many control groups that count memory.

`python -m bench.crowd --groups 300 --processes 2000` keeps them until Enter; `bench.fleet` has the same options. Each
group is a service, in a slice of the crowd's own, with a process that holds 1 MiB: smaller groups are not looked into.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.meter import move

HELD_BYTES = 5 << 18
LIFE_SECONDS = 7200
"""Whatever happens to who made them, they are gone after this."""
SLICE = "crowd.slice"


@contextmanager
def crowd(groups: int, processes: int) -> Iterator[str]:
    """Yields in words what was made; it is ended by process id and removed afterwards. More processes than groups."""
    root = memory_root() if groups else None
    made: list[int] = []
    try:
        folders = _make_groups(root, groups) if root else []
        made += [_holder(folder) for folder in folders]
        made += [_sleeper() for _ in range(processes - len(made))]
        for place, pid in enumerate(made[len(folders) :] if folders else []):
            move([pid], folders[place % len(folders)])
        lack = "" if root or not groups else ", no control groups: none can be made here that count memory"
        yield f"{len(folders)} groups and {len(made)} sleeping processes{lack}"
    finally:
        _end(made)
        if root:
            _remove_groups(root)


def memory_root(base: Path = Path("/sys/fs/cgroup")) -> Path | None:
    """Where control groups that count memory can be made: version 2 with the memory controller, or version 1's."""
    with suppress(OSError):
        if "memory" in (base / "cgroup.subtree_control").read_text(encoding="ascii").split():
            return base if os.access(base, os.W_OK) else None
    return base / "memory" if os.access(base / "memory", os.W_OK) else None


def _make_groups(root: Path, count: int) -> list[Path]:
    top = root / SLICE
    top.mkdir()
    control = top / "cgroup.subtree_control"
    if control.exists():
        control.write_text("+memory", encoding="ascii")
    folders = [top / f"crowd-{number:04}.service" for number in range(1, count + 1)]
    for folder in folders:
        folder.mkdir()
    return folders


def _remove_groups(root: Path) -> None:
    top = root / SLICE
    for folder in top.glob("crowd-*.service"):
        folder.rmdir()
    with suppress(FileNotFoundError):
        top.rmdir()


def _holder(group: Path) -> int:
    """A process in this group that holds a little memory of its own there."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.alarm(LIFE_SECONDS)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        move([os.getpid()], group)
        held = b"x" * HELD_BYTES
        signal.pause()
        del held
    finally:
        os._exit(0)


def _sleeper() -> int:
    sleep = shutil.which("sleep") or "/bin/sleep"
    return os.posix_spawn(sleep, ["sleep", str(LIFE_SECONDS)], {})


def _end(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


def main() -> int:
    """Makes a crowd and keeps it until Enter, or the end of stdin."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with crowd(options.groups, options.processes) as what:
        print(f"{what}; Enter ends them", flush=True)
        sys.stdin.readline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
