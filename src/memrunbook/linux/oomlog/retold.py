"""What killers tell in several lines: of whom they spoke before, which kill they take back or tell twice."""

from __future__ import annotations

from collections import deque

from memrunbook.linux.oomlog import cluster, others
from memrunbook.linux.oomlog.event import Kill, LogEvent, LogNote
from memrunbook.linux.oomlog.killers import Sighting, Undone

SHORT = "the node was short of memory"
NEAR = 8
"""Events back that a line may still be about."""


class Retelling:
    """What each killer said that may belong to what it says next."""

    def __init__(self) -> None:
        self._sighted: dict[str, Sighting] = {}
        self._resource: str | None = None

    def see(self, told: Sighting) -> LogNote | None:
        """Remembers it; returns what the one before came to where that was nothing."""
        before = self._sighted.get(told.killer)
        if told.considered or before is None:
            self._sighted[told.killer] = told
            return before.considered if before else None
        self._sighted[told.killer] = Sighting(
            told.killer, told.pid or before.pid, told.name or before.name, told.rss_kib or before.rss_kib
        )
        return None

    def notes(self) -> list[LogNote]:
        """What came to nothing until the end."""
        return [one.considered for one in self._sighted.values() if one.considered]

    def gave_up(self, note: LogNote) -> None:
        """It says itself that it killed nobody: what it looked at came to that."""
        before = self._sighted.get(note.name)
        if before and before.considered:
            del self._sighted[note.name]

    def reclaims(self, note: LogNote) -> bool:
        """Whether the kubelet's word of a resource is about memory; evictions behind it are for that resource."""
        self._resource = note.name
        return note.name == cluster.MEMORY

    def tells(self, event: LogEvent, kept: deque[LogEvent]) -> LogEvent | LogNote | None:
        """The event where it is another kill: not one for want of disk, not the second signal to the same process.

        An eviction of which the log does not show what it was for is a note.
        """
        seen = self._sighted.pop(event.killer, None)
        if seen and seen.pid is not None and (event.chosen is None or event.chosen.pid == seen.pid):
            event.kills, event.chosen = [Kill(seen.pid, seen.name, rss_kib=seen.rss_kib)], None
        if event.killer == cluster.KUBELET and not event.reason:
            if self._resource is None:
                return LogNote(cluster.EVICTED, event.stamp, event.date, event.unit)
            if self._resource != cluster.MEMORY:
                return None
            event.reason = SHORT
        return None if any(_again(event, one) for one in list(kept)[-NEAR:]) else event


def is_retold(note: LogNote, event: LogEvent) -> bool:
    """Whether systemd's word of a unit is of a known kill by systemd-oomd: its result is called oom-kill."""
    if event.killer != "systemd-oomd" or not others.follows(note, event):
        return False
    return note.name in (event.unit, *(event.task_memcg or "").split("/"))


def undo(told: Undone, kept: deque[LogEvent]) -> bool:
    """Takes back the killer's last kill; says whether there was one."""
    if not kept or kept[-1].killer != told.killer:
        return False
    kept.pop()
    return True


def _again(event: LogEvent, before: LogEvent) -> bool:
    """SIGKILL after SIGTERM, systemd's own line of a unit that systemd-oomd killed, a pod that is named twice."""
    if event.killer != before.killer or not (others.follows(event, before) or _undated(event, before)):
        return False
    if event.kills and before.kills:
        return event.kills[0].pid == before.kills[0].pid and event.kills[0].name == before.kills[0].name
    if event.unit and before.task_memcg:
        return event.unit in before.task_memcg.split("/")
    return bool(event.unit) and event.unit == before.unit


def _undated(event: LogEvent, before: LogEvent) -> bool:
    return not (event.date or before.date) and (event.stamp is None or before.stamp is None)
