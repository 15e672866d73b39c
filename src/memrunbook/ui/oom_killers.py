"""What killers other than the kernel's OOM killer did, in plain words: whom they killed, for a headline."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.linux.oomlog.event import LogEvent
from memrunbook.linux.oomlog.label import whose
from memrunbook.ui.words import plural

CACHED_APP = 900
"""Android's ProcessList: from this oom_score_adj on an app is only kept in case it is wanted again."""
NAMES = {"lmkd": "Android's lmkd", "talos": "Talos", "kubelet": "the kubelet"}


def killed_by(event: LogEvent) -> str:
    """Whom such a killer killed, for a headline."""
    victim, killer = event.victim, NAMES.get(event.killer, event.killer)
    if event.killer == "kubelet":
        return f"{event.unit or 'a pod'} was evicted by {killer}"
    name = victim.name or f"pid {victim.pid}" if victim else whose(event) or "a process"
    return f"{name} was killed by {killer}"


def usual(events: Sequence[LogEvent]) -> str:
    """The words for a log in which Android only ended cached apps; empty for all others."""
    adjusted = [event.kills[0].oom_score_adj for event in events if event.killer in ("lmkd", "lowmemorykiller")]
    if len(adjusted) < len(events) or any(one is None or one < CACHED_APP for one in adjusted):
        return ""
    return f"{plural(len(events), 'cached app')} ended to free memory; no app that was in use"
