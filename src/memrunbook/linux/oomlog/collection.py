"""Keeps what a log tells: its events, failed allocations and notes, the newest ones of very many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial

from memrunbook.linux.attribution import POD
from memrunbook.linux.oomlog import android, cluster, others, stalls
from memrunbook.linux.oomlog.android import More
from memrunbook.linux.oomlog.caches import CacheFailure, CacheLine
from memrunbook.linux.oomlog.event import AllocationStall, Failure, KernelLog, LogEvent, LogNote
from memrunbook.linux.oomlog.frame import KERNEL, LogLine
from memrunbook.linux.oomlog.hung import HungTask
from memrunbook.linux.oomlog.killers import Sighting, Undone
from memrunbook.linux.oomlog.merge import merged
from memrunbook.linux.oomlog.others import LineReading, Telling
from memrunbook.linux.oomlog.pods import PodName
from memrunbook.linux.oomlog.retold import Retelling, is_retold, undo
from memrunbook.linux.oomlog.thread import Thread

MOST = 10_000
"""Events, failures and notes that are kept: the newest ones."""
NEAR = 8
"""Failures back that a line may still name the cache of."""
CLOSE = 10.0
"""Seconds in which a refusal and a kill have to do with each other."""


class Collection:
    """What was read so far."""

    def __init__(self) -> None:
        self._events: deque[LogEvent] = deque(maxlen=MOST)
        self._failures: deque[Failure] = deque(maxlen=MOST)
        self._notes: deque[LogNote] = deque(maxlen=MOST)
        self._stalls: deque[AllocationStall] = deque(maxlen=MOST)
        self._caches: deque[CacheFailure] = deque(maxlen=MOST)
        self._hung: deque[HungTask] = deque(maxlen=MOST)
        self._retelling = Retelling()
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
        last = self._caches[-1] if self._caches else None
        if last and last.group_id is not None and event.killer == "kernel" and _just_before(last, event):
            event.refused = last.label
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
            self._fail(told, thread)
        elif isinstance(told, HungTask):
            thread.below = told.trace
            self._hung.append(told)
        elif isinstance(told, (LogEvent, LogNote, Sighting, Undone, More)):
            self._killer(told)
        elif isinstance(told, PodName):
            _name_pod(self._pods, told)
        elif told is not None:
            self._count(told)
        return told is not None

    def _fail(self, told: Failure, thread: Thread) -> None:
        thread.failure, thread.reported = told, False
        last = self._notes[-1] if self._notes else None
        if last and others.is_half(last, told):
            self._notes[-1] = last._replace(name=told.name)
            return
        if isinstance(told, AllocationStall):
            thread.below = partial(stalls.asked, told)
            self._stalls.append(told)
        else:
            self._failures.append(told)

    def _killer(self, told: LogEvent | LogNote | Sighting | Undone | More) -> None:
        if isinstance(told, LogEvent):
            self._told(self._retelling.tells(told, self._events))
        elif isinstance(told, Undone):
            self._counted -= undo(told, self._events)
        elif isinstance(told, More):
            if self._events and self._events[-1].killer in (android.DRIVER, android.DAEMON):
                android.goes_on(self._events[-1], told)
        elif isinstance(told, Sighting):
            self._notes.extend(filter(None, [self._retelling.see(told)]))
        elif told.kind != cluster.EVICTION or self._retelling.reclaims(told):
            self._retelling.gave_up(told)
            self._note(told)

    def _told(self, told: LogEvent | LogNote | None) -> None:
        if isinstance(told, LogNote):
            self._note(told)
        elif told:
            self._keep(told)

    def _count(self, told: Telling) -> None:
        if isinstance(told, CacheFailure):
            self._slub += 1
            self._caches.append(told)
        elif isinstance(told, CacheLine):
            _name(self._caches, told)
        else:
            self._cut = True

    def result(self, *, kernel: bool) -> KernelLog:
        """All of it, each event once."""
        events = merged(self._events)
        for event in events:
            pod = POD.search(event.task_memcg or event.oom_memcg or "") if self._pods else None
            event.pod = self._pods.get(pod[1].replace("_", "-"), "") if pod else ""
        return KernelLog(
            tuple(events),
            tuple(self._failures),
            (*_once(self._notes, events), *self._retelling.notes()),
            tuple(self._stalls),
            tuple(self._caches),
            tuple(one for one in self._hung if one.waits),
            self._slub,
            self._refusals,
            self._counted - len(self._events),
            self._cut,
            kernel or bool(events),
        )

    def _note(self, note: LogNote) -> None:
        if note.kind == "unit" and any(is_retold(note, event) for event in list(self._events)[-NEAR:]):
            return
        if note.kind == "vmalloc" and self._notes and others.goes_on(self._notes[-1], note):
            note = note._replace(detail=others.NO_SPACE)
            self._notes.pop()
        self._notes.append(note)
        self._refusals += note.kind == "overcommit"
        last = next((event for event in reversed(self._events) if event.killer == "kernel"), None)
        if note.kind == "unit" and last and others.is_about(note, last):
            last.unit = last.unit or note.name


def _once(notes: Iterable[LogNote], events: Iterable[LogEvent]) -> list[LogNote]:
    """Without the kubelet's word of kills that the kernel's own lines tell, or that it told before."""
    known: set[int | None] = {kill.pid for event in events for kill in event.kills}
    kept = []
    for note in notes:
        if note.kind != cluster.SYSTEM or note.value not in known:
            kept.append(note)
        if note.kind == cluster.SYSTEM:
            known.add(note.value)
    return kept


def _just_before(cache: CacheFailure, event: LogEvent) -> bool:
    if cache.stamp is None or event.stamp is None:
        return cache.date == event.date
    return 0 <= event.stamp - cache.stamp <= CLOSE


def _name(caches: deque[CacheFailure], told: CacheLine) -> None:
    """Says of the newest failure that has no cache yet which one it was; lines of several processors may be mixed."""
    waiting = [one for one in list(caches)[-NEAR:] if not one.cache]
    if waiting:
        one = waiting[-1]
        one.cache, one.object_bytes, one.group_id, one.group = told.cache, told.object_bytes, told.group_id, told.group


def _name_pod(pods: dict[str, str], told: PodName) -> None:
    pods[told.uid] = told.name
    if len(pods) > MOST:
        pods.clear()
