"""What the kernel's account says of a command and its hosts beyond `bench.meter`: all processes together, and forks."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from math import nan
from pathlib import Path

from bench.crowd import memory_root
from bench.meter import QUIET_SECONDS, GroupMeter, group_roots, move

JOIN = 'for group in {groups}; do echo $$ >"$group/cgroup.procs"; done; exec "$@"'
PEAKS = {"memory.peak": "memory.current", "memory.max_usage_in_bytes": "memory.usage_in_bytes"}
"""Of both versions of control groups: the most that was held, and what is held now."""
CONNECTOR, PROCESS_EVENTS, LISTEN, FORKED = 11, 1, 1, 1
EVENT_AT, FORK_AT = 36, 52
"""Behind the headers of netlink and of its connector (linux/connector.h); behind those of an event (cn_proc.h)."""
BUFFER_BYTES, PAUSE_SECONDS = 8 << 20, 0.3


class Account:
    """Control groups for one command at a time: its CPU time and memory, and those of what it leaves behind."""

    def __init__(self) -> None:
        roots = group_roots(Path("/proc/self/mounts").read_text(encoding="utf-8"))
        memory = memory_root()
        self._name = f"peer-{os.getpid()}"
        self._roots = list(dict.fromkeys([*roots[:1], *([memory] if memory else [])]))
        self.known = bool(roots and memory and all(os.access(root, os.W_OK) for root in self._roots))

    @contextmanager
    def opened(self) -> Iterator[tuple[str, ...]]:
        """The words that put a command into new groups, to stand before its own; nothing where none can be made."""
        if not self.known:
            yield ()
            return
        for folder in self._folders:
            folder.mkdir()
        try:
            yield ("sh", "-c", JOIN.format(groups=" ".join(map(str, self._folders))), "sh")
        finally:
            for folder in self._folders:
                self._remove(folder)

    @property
    def _folders(self) -> list[Path]:
        return [root / self._name for root in self._roots]

    def cpu(self) -> float:
        """Seconds, of all that has been in the groups."""
        return GroupMeter(self._folders[0], ()).seconds() if self.known else nan

    def peak(self) -> float:
        """Bytes that were held at most, page cache of the files that were written included."""
        return peak_of(self._folders[-1]) if self.known else nan

    def _remove(self, folder: Path) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        while folder.exists() and time.monotonic() < deadline:
            for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGTERM)
            with suppress(OSError):
                folder.rmdir()
            time.sleep(0.01)


def peak_of(folder: Path) -> float:
    return next((float((folder / name).read_text()) for name in PEAKS if (folder / name).exists()), nan)


class HostMemory:
    """Memory of the hosts, above what they hold now, by a control group of version 1, whose peak can be reset."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._before = folder, nan

    def begin(self) -> None:
        if self._folder:
            (self._folder / "memory.max_usage_in_bytes").write_text("0", encoding="ascii")
            self._before = float((self._folder / "memory.usage_in_bytes").read_text())

    def grown(self) -> float:
        """Bytes; not a number where there is no such group."""
        return peak_of(self._folder) - self._before if self._folder else nan


@contextmanager
def memory_of(servers: Sequence[int]) -> Iterator[HostMemory]:
    """Puts the hosts into a group that counts memory, where the peak of one can be reset."""
    root = memory_root()
    if root is None or not (root / "memory.max_usage_in_bytes").exists():
        yield HostMemory(None)
        return
    folder = root / f"farm-memory-{os.getpid()}"
    folder.mkdir()
    try:
        move(servers, folder)
        yield HostMemory(folder)
    finally:
        move((folder / "cgroup.procs").read_text(encoding="ascii").split(), root)
        folder.rmdir()


class Forks:
    """Counts the processes that these and their descendants start, as the kernel's process connector tells them."""

    def __init__(self, servers: Sequence[int]) -> None:
        self._known, self.count = set(servers), 0

    def told(self, event: bytes) -> None:
        """One message of the connector. A thread is no process: its id is not that of its group."""
        (what,) = struct.unpack_from("=I", event, EVENT_AT)
        if what != FORKED:
            return
        _, parent, child, group = struct.unpack_from("=IIII", event, FORK_AT)
        if parent in self._known and child == group:
            self._known.add(child)
            self.count += 1


@contextmanager
def forks_of(servers: Sequence[int]) -> Iterator[Forks | None]:
    """Counts until the block ends; nothing where the kernel does not tell (no root, no connector)."""
    forks = Forks(servers)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, CONNECTOR) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            listener.bind((0, PROCESS_EVENTS))
            _ask(listener)
        except OSError:
            yield None
            return
        ended = threading.Event()
        listener.settimeout(PAUSE_SECONDS)
        thread = threading.Thread(target=_listen, args=(listener, forks, ended))
        thread.start()
        try:
            yield forks
        finally:
            ended.set()
            thread.join()


def _listen(listener: socket.socket, forks: Forks, ended: threading.Event) -> None:
    """Until a while after the end: what was told before is read by then."""
    until = None
    while until is None or time.monotonic() < until:
        with suppress(TimeoutError):
            forks.told(listener.recv(4096))
        if until is None and ended.is_set():
            until = time.monotonic() + PAUSE_SECONDS


def _ask(listener: socket.socket) -> None:
    """Asks the connector to tell: a netlink header, that of the connector, and the word."""
    message = struct.pack("=IIIIHHI", PROCESS_EVENTS, PROCESS_EVENTS, 0, 0, 4, 0, LISTEN)
    done = 3
    listener.send(struct.pack("=IHHII", 16 + len(message), done, 0, 0, os.getpid()) + message)
