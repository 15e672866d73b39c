"""The same event read from two sources (dmesg, the journal, kern.log) is one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from memrunbook.linux.oomlog.event import Kill, LogEvent

_MINUTES = re.compile(r"\d\d?:(\d\d):(\d\d)")
NEARLY = 2


def merged(events: Iterable[LogEvent]) -> list[LogEvent]:
    """The events in their order, each once; what only one source tells is kept.

    Two are the same when the same process was killed at the same second of uptime, and one was written in another
    style or at the same wall time: a boot counts its seconds, and its pids, anew.
    """
    kept: list[LogEvent] = []
    known: dict[tuple[Any, ...], LogEvent] = {}
    sized: dict[Kill, LogEvent] = {}
    for event in events:
        first = known.get(_key(event))
        if first is None or not _told_again(first, event):
            first = sized.get(event.kills[0]) if event.kills else None
            first = first if first and _same_moment(first, event) else None
        if first is not None:
            _fill(first, event)
            continue
        kept.append(event)
        if event.kills:
            known[_key(event)] = event
        if event.kills and event.kills[0].total_vm_kib:
            sized[event.kills[0]] = event
    return kept


def _same_moment(first: LogEvent, event: LogEvent) -> bool:
    """Of two kills with equal pid, name and sizes, one by its date and the other by uptime or a date of another form.

    Hours may differ with the time zone; `dmesg -T`, `journalctl` and syslog agree in minutes and, nearly, in seconds.
    """
    if first.killer != event.killer or (first.stamp is not None and event.stamp is not None):
        return False
    dated, again = _MINUTES.search(first.date), _MINUTES.search(event.date)
    if not dated or not again:
        return (
            bool(first.date or event.date)
            and first.boot == event.boot
            and (first.stamp is None) != (event.stamp is None)
        )
    apart = abs(int(dated[1]) * 60 + int(dated[2]) - int(again[1]) * 60 - int(again[2]))
    return first.date != event.date and min(apart, 3600 - apart) <= NEARLY


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
