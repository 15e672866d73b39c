"""What a kernel log tells beside its events and failures: refusals, dropped caches, killed units."""

from __future__ import annotations

from collections import Counter

from memrunbook.core.units import format_bytes
from memrunbook.linux.oomlog.event import KernelLog, LogNote
from memrunbook.runtime.redaction import redact
from memrunbook.ui.block import BLANK, Block, Grid, Span, line, row
from memrunbook.ui.words import plural

MOST_NAMES = 5
SIZES = "vmalloc", "percpu", "cma"
# What a kind of note is called, and what it means.
KINDS = {
    "drop_caches": ("Caches dropped", "by {}: a job that drops caches costs reads and cures nothing"),
    "overcommit": ("Overcommit refused", "{}: not a lack of memory; see vm.overcommit_memory"),
    "vmalloc": ("vmalloc failed", "{}"),
    "percpu": ("percpu failed", "{}: memory of each processor, for groups and devices; look for groups by the 10,000"),
    "cma": ("CMA failed", "{}: the area for devices (cma= at boot) is too small, or its pages could not be moved"),
    "swap-write": ("Swap not written", "{}: the disk below swap fails; what was to go there may be lost: replace it"),
    "swap-read": ("Swap not read", "{}: the disk below swap fails; processes that need those pages die: replace it"),
    "pids": ("Forks refused", "in {}: it has as many processes as it may (pids.max, TasksMax); not memory"),
    "unit": ("Units (systemd)", "{} lost a process to the OOM killer"),
    "container": ("Containers", "{}: out of memory, by the runtime's word"),
    "system-oom": ("Killed (kubelet)", "{}: the whole node was out of memory; the kernel's own lines say who held it"),
    "eviction": ("Node pressure", "the kubelet tried to free {}: the node was short, no limit was hit"),
    "evicted": ("Pods evicted", "{}: the log does not show whether for memory or for disk"),
    "not-killed": ("Not killed", "{}"),
}
FAULTS = (
    "times ENOMEM leaked out of a page fault, and it was tried again: a driver, a huge page limit or a kernel memory"
    " limit refused, not the host; no process has to be killed"
)
VMALLOC = {
    "exceeds total pages": "more than all RAM",
    "vm_struct allocation failed": "no address space left (32 bit: vmalloc= at boot), RAM is not the matter",
    "no address space left": "no address space left (32 bit: vmalloc= at boot), RAM is not the matter",
    "failed to allocate pages": "no pages left for it, or its group's limit was reached",
    "failed to map pages": "no page table could be had",
    "": "refused",
}


def note_blocks(log: KernelLog) -> list[Block]:
    """The other lines, counted by whom they name."""
    rows = [row(Span(words, "strong"), body=body) for words, body in _notes(log) if body]
    return [BLANK, line(Span("Also in this log", "strong")), Grid(tuple(rows))] if rows else []


def _notes(log: KernelLog) -> list[tuple[str, str]]:
    rows = [(title, _said(log, kind, words)) for kind, (title, words) in KINDS.items()]
    faults = sum(note.value or 1 for note in log.notes if note.kind == "fault")
    unnamed = log.slub_failures - sum(bool(one.cache) for one in log.caches)
    slub = f"{plural(unnamed, 'time')} a kernel cache could not grow that the log does not name" if unnamed > 0 else ""
    return [*rows, ("Page faults", f"{faults:,} {FAULTS}" if faults else ""), ("SLUB", slub)]


def _said(log: KernelLog, kind: str, words: str) -> str:
    """Whom the notes of a kind name and what they say of them, and what it means."""
    names = Counter(_name(note) for note in log.notes if note.kind == kind)
    return words.format(_counted(names)) if names else ""


def _name(note: LogNote) -> str:
    """The name; what the line said; how much was asked for, where that tells one from the other."""
    size = ""
    if note.value is not None and note.kind in SIZES:
        size = plural(note.value, "page") if note.kind == "cma" else format_bytes(note.value)
    said = VMALLOC.get(note.detail.rpartition(", ")[2], note.detail) if note.kind == "vmalloc" else note.detail
    return ": ".join(filter(None, [note.name, ", ".join(filter(None, [size, redact(said)]))])) or "unnamed"


def _counted(names: Counter[str]) -> str:
    parts = [f"{name} ({count:,}x)" for name, count in names.most_common(MOST_NAMES)]
    more = len(names) - MOST_NAMES
    return ", ".join([*parts, *([f"{more:,} more"] if more > 0 else [])])
