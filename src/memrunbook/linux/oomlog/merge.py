"""The same event read from two sources (dmesg, the journal, kern.log) is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memrunbook.linux.oomlog.event import LogEvent


def merged(events: Iterable[LogEvent]) -> list[LogEvent]:
    """The events in their order, each once; what only one source tells is kept.

    Two are the same when the same process was killed at the same second of uptime, and one was written in another
    style or at the same wall time: a boot counts its seconds, and its pids, anew.
    """
    kept: list[LogEvent] = []
    known: dict[tuple[Any, ...], LogEvent] = {}
    for event in events:
        first = known.get(_key(event))
        if first is not None and _told_again(first, event):
            _fill(first, event)
            continue
        kept.append(event)
        if event.kills:
            known[_key(event)] = event
    return kept


def _key(event: LogEvent) -> tuple[Any, ...]:
    moment = event.date if event.stamp is None else round(event.stamp)
    kill = event.kills[0] if event.kills else None
    return event.killer, moment, kill and (kill.pid, kill.name)


def _told_again(first: LogEvent, event: LogEvent) -> bool:
    if event.stamp is None and not event.date:
        return False
    return first.style != event.style or (bool(event.date) and first.date == event.date)


def _fill(first: LogEvent, event: LogEvent) -> None:
    first.seen += 1
    for name in LogEvent.__struct_fields__:
        if not getattr(first, name):
            setattr(first, name, getattr(event, name))
