"""What a kernel log tells beside its events: failed allocations, refusals, dropped caches, killed units."""

from __future__ import annotations

from collections import Counter

from memrunbook.linux.oomlog.event import Failure, KernelLog
from memrunbook.linux.oomlog.failing import FailureAccount, failure_account
from memrunbook.linux.oomlog.places import FREE
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row
from memrunbook.ui.oom_event import place_size
from memrunbook.ui.words import plural

MOST_NAMES = 5
LARGEST_PLACES = 3


def failure_blocks(log: KernelLog, most: int) -> list[Block]:
    """The newest failed allocations, each with what it was for want of."""
    shown = log.failures[max(0, len(log.failures) - most) :]
    if not log.failures:
        return []
    rows = [entry for failure in shown for entry in _entries(failure, failure_account(failure, log))]
    older = f", the newest {len(shown)}" if len(shown) < len(log.failures) else ""
    return [BLANK, line(Span(plural(len(log.failures), "failed allocation") + older, "strong")), Grid(tuple(rows))]


def note_blocks(log: KernelLog) -> list[Block]:
    """The other lines, counted by whom they name."""
    rows = [row(Span(words, "strong"), body=body) for words, body in _notes(log) if body]
    return [BLANK, line(Span("Also in this log", "strong")), Grid(tuple(rows))] if rows else []


def _title(failure: Failure) -> str:
    when = failure.date or ("" if failure.stamp is None else f"{failure.stamp:,.1f} s")
    return f"{when}  {failure.name}, order {failure.order}".strip()


def _entries(failure: Failure, told: FailureAccount) -> list[Row | Note]:
    held = [place for place in told.places if place.name != FREE][:LARGEST_PLACES]
    words = [f"{place.name} {place_size(place)}" for place in held]
    shown = bool(words) and told.short == "short" and not told.fallout
    memory = [note("memory  ", ", ".join(words))] if shown else []
    return [row(_title(failure), body=told.says), *memory]


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
