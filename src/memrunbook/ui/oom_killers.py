"""What killers other than the kernel's OOM killer did, in plain words: who acted, why, what may help."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.oomlog.event import Kill, LogEvent
from memrunbook.linux.oomlog.label import whose
from memrunbook.ui.words import plural

# What happened, what may help, what cannot: by who acted.
KILLERS: dict[str, tuple[str, str, str]] = {
    "systemd-oomd": (
        "systemd-oomd killed a whole control group before the kernel had to",
        "limit what runs in it, more RAM or swap; ManagedOOMPreference=avoid spares a unit",
        "",
    ),
    "earlyoom": (
        "earlyoom ended a process: free memory and swap fell below its limits",
        "limit or restart what grew, more RAM or swap; earlyoom --avoid spares a process",
        "",
    ),
    "nohang": (
        "nohang ended a process: memory, swap or stalls passed its thresholds",
        "limit or restart what grew, more RAM or swap; nohang.conf can spare a process",
        "",
    ),
    "oomd": ("oomd killed a control group by its rules", "limit what runs in it, or change the rule that it names", ""),
    "lmkd": (
        "Android's lmkd ended an app to free memory",
        "fewer or smaller apps; oom_score_adj 900 and more are cached apps, whose end is usual",
        "",
    ),
    "lowmemorykiller": (
        "the kernel's driver lowmemorykiller ended a process: the page cache fell below its limit",
        "use less memory; the limits are /sys/module/lowmemorykiller/parameters/minfree",
        "",
    ),
    "talos": (
        "Talos's OOM controller killed a control group: tasks of the node stalled for want of memory",
        "requests and limits that match what the pods use, more RAM for the node",
        "restarting that pod: it comes back to the same node",
    ),
    "kubelet": (
        "the kubelet evicted a pod because the node was short; no limit was hit",
        "requests that match what the pods use, fewer pods, more RAM for the node",
        "raising that pod's limit",
    ),
}
CACHED_APP = 900
"""Android's ProcessList: from this oom_score_adj on an app is only kept in case it is wanted again."""
NAMES = {"lmkd": "Android's lmkd", "talos": "Talos", "kubelet": "the kubelet"}


def killer_words(event: LogEvent) -> tuple[str, str, str] | None:
    """What happened, what helps, what does not; None for the OOM killer, which is explained by its class."""
    return KILLERS.get(event.killer)


def killed_by(event: LogEvent) -> str:
    """Whom such a killer killed, for a headline."""
    victim, killer = event.victim, NAMES.get(event.killer, event.killer)
    if event.killer == "kubelet":
        return f"{event.unit or 'a pod'} was evicted by {killer}"
    name = victim.name or f"pid {victim.pid}" if victim else whose(event) or "a process"
    return f"{name} was killed by {killer}"


def sizes(kill: Kill) -> list[str]:
    """What they say that a process held: only the whole."""
    told = {"held": kill.rss_kib, "in swap": kill.swap_kib}
    parts = [f"{words} {format_bytes(size * KIB)}" for words, size in told.items() if size]
    return [*parts, *([f"oom_score_adj {kill.oom_score_adj}"] if parts and kill.oom_score_adj is not None else [])]


def usual(events: Sequence[LogEvent]) -> str:
    """The words for a log in which Android only ended cached apps; empty for all others."""
    adjusted = [event.kills[0].oom_score_adj for event in events if event.killer in ("lmkd", "lowmemorykiller")]
    if len(adjusted) < len(events) or any(one is None or one < CACHED_APP for one in adjusted):
        return ""
    return f"{plural(len(events), 'cached app')} ended to free memory; no app that was in use"
