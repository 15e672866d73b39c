"""Keeps what a log tells: its events, failed allocations and notes, the newest ones of very many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from memrunbook.linux.attribution import POD
from memrunbook.linux.oomlog import others
from memrunbook.linux.oomlog.event import Failure, KernelLog, LogEvent, LogNote
from memrunbook.linux.oomlog.frame import KERNEL, LogLine
from memrunbook.linux.oomlog.merge import merged
from memrunbook.linux.oomlog.others import LineReading, Sign
from memrunbook.linux.oomlog.pods import PodName
from memrunbook.linux.oomlog.thread import Thread

MOST = 10_000
"""Events, failures and notes that are kept: the newest ones."""


class Collection:
    """What was read so far."""

    def __init__(self) -> None:
        self._events: deque[LogEvent] = deque(maxlen=MOST)
        self._failures: deque[Failure] = deque(maxlen=MOST)
        self._notes: deque[LogNote] = deque(maxlen=MOST)
        self._counted = self._slub = self._refusals = self._boot = 0
        self._cut = False
        self._pods: dict[str, str] = {}

    def begin(self, line: LogLine) -> LogEvent:
        """An event that begins with this line; it counts once it is known to be one."""
        return LogEvent(stamp=line.stamp, date=line.date, style=line.style, boot=self._boot)

    def count(self, thread: Thread) -> None:
        """The event that this thread tells of is one."""
        if thread.event and not thread.counts:
            thread.counts = True
            self._keep(thread.event)

    def _keep(self, event: LogEvent) -> None:
        self._events.append(event)
        self._counted += 1

    def boots(self, line: LogLine) -> bool:
        """Whether the line begins another boot."""
        begins = line.program == KERNEL and line.text.startswith(("Linux version ", "-- Boot ", "-- Reboot --"))
        if begins:
            self._boot += 1
        return begins

    def other(self, readings: Iterable[LineReading], thread: Thread, line: LogLine) -> bool:
        """Keeps what a line tells that is no event of the kernel; says whether it tells anything."""
        told = next((told for told in (reading(line) for reading in readings) if told), None)
        if isinstance(told, Failure):
            thread.failure, thread.reported = told, False
            self._failures.append(told)
        elif isinstance(told, LogNote):
            self._note(told)
        elif isinstance(told, LogEvent):
            self._keep(told)
        elif isinstance(told, PodName):
            self._pods[told.uid] = told.name
            if len(self._pods) > MOST:
                self._pods.clear()
        elif told is Sign.SLUB:
            self._slub += 1
        elif told is Sign.LOSS:
            self._cut = True
        return told is not None

    def result(self, *, kernel: bool) -> KernelLog:
        """All of it, each event once."""
        events = merged(self._events)
        for event in events:
            pod = POD.search(event.task_memcg or event.oom_memcg or "") if self._pods else None
            event.pod = self._pods.get(pod[1].replace("_", "-"), "") if pod else ""
        return KernelLog(
            tuple(events),
            tuple(self._failures),
            tuple(self._notes),
            self._slub,
            self._refusals,
            self._counted - len(self._events),
            self._cut,
            kernel or bool(events),
        )

    def _note(self, note: LogNote) -> None:
        self._notes.append(note)
        self._refusals += note.kind == "overcommit"
        last = next((event for event in reversed(self._events) if event.killer == "kernel"), None)
        if note.kind == "unit" and last and others.is_about(note, last):
            last.unit = last.unit or note.name
