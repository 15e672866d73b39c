"""The first line for a log without any event that holds other lines of weight: the worst of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from memrunbook.linux.oomlog.event import KernelLog, LogNote
from memrunbook.ui.block import Block, Span, Style, line
from memrunbook.ui.oom_waits import cache_names, longest, tasks
from memrunbook.ui.words import plural

MOST_NAMES = 3
LARGE = {
    "cma": "memory for a device (CMA)", "vmalloc": "address space of the kernel (vmalloc)",
    "percpu": "memory for each processor (percpu)",
}  # fmt: skip


def headline(log: KernelLog) -> Block | None:
    """The worst that the log tells beside events; None where it tells nothing of the kind."""
    for word, style, words in HEADLINES:
        said = words(log)
        if said:
            return line(Span(word, style), f": {said}")
    return None


def _swap(log: KernelLog) -> str:
    notes = _of(log, "swap-write", "swap-read")
    return f"{plural(len(notes), 'error')} of swap on {_names(notes)}; what lay there is lost" if notes else ""


def _stalls(log: KernelLog) -> str:
    if not log.stalls:
        return ""
    return f"{plural(tasks(log.stalls), 'task')} waited up to {longest(log.stalls)} for memory"


def _hung(log: KernelLog) -> str:
    if not log.hung:
        return ""
    seconds = max(one.seconds for one in log.hung)
    names = _counted(Counter(one.name for one in log.hung))
    return f"{names}, blocked for more than {seconds:,} s while the kernel looked for memory"


def _failures(log: KernelLog) -> str:
    return f"{plural(len(log.failures), 'failed allocation')}, no out-of-memory event" if log.failures else ""


def _caches(log: KernelLog) -> str:
    return f"{plural(log.slub_failures, 'time')}{cache_names(log)}" if log.slub_failures else ""


def _large(log: KernelLog) -> str:
    kinds = Counter(LARGE[note.kind] for note in _of(log, *LARGE))
    return f"{_counted(kinds)}, no out-of-memory event" if kinds else ""


def _faults(log: KernelLog) -> str:
    many = sum(note.value or 1 for note in _of(log, "fault"))
    return f"{plural(many, 'time')}, and tried again; a driver or a limit refused memory, not the host" if many else ""


def _units(log: KernelLog) -> str:
    notes = _of(log, "unit")
    return f"{_names(notes)}, by systemd's word; the kernel's own lines are not in this log" if notes else ""


def _containers(log: KernelLog) -> str:
    notes = _of(log, "container")
    return f"{_names(notes)}, by the runtime's word; the kernel's own lines are not in this log" if notes else ""


def _system(log: KernelLog) -> str:
    notes = _of(log, "system-oom")
    told = "the whole node was short, by the kubelet's word; the kernel's own lines (journalctl -k there) say why"
    return f"{_names(notes)} killed: {told}" if notes else ""


def _node(log: KernelLog) -> str:
    notes = _of(log, "eviction")
    return f"the kubelet tried {plural(len(notes), 'time')} to free memory; no eviction is shown" if notes else ""


def _evicted(log: KernelLog) -> str:
    notes = _of(log, "evicted")
    return f"{_names(notes)}; the log does not show whether for memory or for disk" if notes else ""


def _not_killed(log: KernelLog) -> str:
    notes = _of(log, "not-killed")
    return f"{_names(notes)} wanted to free memory and killed nobody" if notes else ""


def _forks(log: KernelLog) -> str:
    notes = _of(log, "pids")
    return f"{_names(notes)} may have no more processes (pids.max); not a lack of memory" if notes else ""


def _refused(log: KernelLog) -> str:
    many = log.overcommit_refusals
    return f"{plural(many, 'request')} by vm.overcommit_memory; not a lack of memory" if many else ""


HEADLINES: tuple[tuple[str, Style, Callable[[KernelLog], str]], ...] = (
    ("SWAP FAILS", "critical", _swap),
    ("ALLOCATIONS STALLED", "warning", _stalls),
    ("TASKS HUNG", "warning", _hung),
    ("ALLOCATIONS FAILED", "warning", _failures),
    ("KERNEL CACHES COULD NOT GROW", "warning", _caches),
    ("ALLOCATIONS FAILED", "warning", _large),
    ("PAGE FAULTS FAILED", "warning", _faults),
    ("UNITS KILLED", "warning", _units),
    ("OUT OF MEMORY", "critical", _system),
    ("CONTAINERS OUT OF MEMORY", "warning", _containers),
    ("NODE SHORT OF MEMORY", "warning", _node),
    ("PODS EVICTED", "warning", _evicted),
    ("NOBODY KILLED", "warning", _not_killed),
    ("FORKS REFUSED", "warning", _forks),
    ("REQUESTS REFUSED", "warning", _refused),
)
"""From the worst on."""


def _of(log: KernelLog, *kinds: str) -> list[LogNote]:
    return [note for note in log.notes if note.kind in kinds]


def _names(notes: Sequence[LogNote]) -> str:
    return _counted(Counter(note.name for note in notes))


def _counted(names: Counter[str]) -> str:
    parts = [f"{name} ({count:,}x)" if count > 1 else name for name, count in names.most_common(MOST_NAMES)]
    more = len(names) - MOST_NAMES
    return ", ".join([*parts, *([f"{more:,} more"] if more > 0 else [])])
