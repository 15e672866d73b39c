"""What a kernel log tells beside its events and failures: refusals, dropped caches, killed units."""

from __future__ import annotations

from collections import Counter

from memrunbook.linux.oomlog.event import KernelLog
from memrunbook.ui.block import BLANK, Block, Grid, Span, line, row

MOST_NAMES = 5


def note_blocks(log: KernelLog) -> list[Block]:
    """The other lines, counted by whom they name."""
    rows = [row(Span(words, "strong"), body=body) for words, body in _notes(log) if body]
    return [BLANK, line(Span("Also in this log", "strong")), Grid(tuple(rows))] if rows else []


def _notes(log: KernelLog) -> list[tuple[str, str]]:
    kinds = {
        "drop_caches": ("Caches dropped", "by {}: a job that drops caches costs reads and cures nothing"),
        "overcommit": ("Overcommit refused", "{}: not a lack of memory; see vm.overcommit_memory"),
        "vmalloc": ("vmalloc failed", "{}"),
        "unit": ("Units (systemd)", "{} lost a process to the OOM killer"),
    }
    rows = []
    for kind, (title, words) in kinds.items():
        names = Counter(note.name for note in log.notes if note.kind == kind)
        rows.append((title, words.format(_counted(names)) if names else ""))
    slub = f"{log.slub_failures:,} times a kernel cache could not grow" if log.slub_failures else ""
    return [*rows, ("SLUB", slub)]


def _counted(names: Counter[str]) -> str:
    parts = [f"{name} ({count:,}x)" for name, count in names.most_common(MOST_NAMES)]
    more = len(names) - MOST_NAMES
    return ", ".join([*parts, *([f"{more:,} more"] if more > 0 else [])])
