"""Failed allocations that a kernel log tells of beside its events: each with what it was for want of."""

from __future__ import annotations

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.fragmentation import by_zone
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.event import Failure, KernelLog, LogEvent
from memrunbook.ui.block import BLANK, Block, Grid, Span, line, row
from memrunbook.ui.words import plural

FRAGMENTED = 0.5
"""Above this index the kernel itself speaks of fragmentation (vm.extfrag_threshold 500)."""
FALLOUT_SECONDS = 10.0
SHORT = "no page was left"


def failure_blocks(log: KernelLog, most: int) -> list[Block]:
    """The newest failed allocations, each with what it was for want of."""
    shown = log.failures[max(0, len(log.failures) - most) :]
    if not log.failures:
        return []
    rows = [row(_title(failure), body=_reason(failure, log)) for failure in shown]
    older = f", the newest {len(shown)}" if len(shown) < len(log.failures) else ""
    return [BLANK, line(Span(plural(len(log.failures), "failed allocation") + older, "strong")), Grid(tuple(rows))]


def _title(failure: Failure) -> str:
    when = failure.date or ("" if failure.stamp is None else f"{failure.stamp:,.1f} s")
    return f"{when}  {failure.name}, order {failure.order}".strip()


def _reason(failure: Failure, log: KernelLog) -> str:
    if any(_explains(event, failure) for event in log.events):
        return "fallout: the kernel had just killed it"
    free = explain.of_host(failure).free_kib
    left = "" if free is None else f"; {format_bytes(free * KIB)} were free"
    if failure.order == 0:
        return ("could not wait, and the reserve was empty (vm.min_free_kbytes)" if failure.atomic else SHORT) + left
    return f"{(1 << failure.order):,} pages in one piece: {_fragmentation(failure)}{left}"


def _fragmentation(failure: Failure) -> str:
    indices = by_zone(failure.blocks, failure.order)
    if not indices:
        return "the log does not show the free blocks"
    worst = max(indices, key=indices.__getitem__)
    said = f"{worst} index {indices[worst]:.3f}"
    if indices[worst] > FRAGMENTED:
        return f"memory was fragmented ({said})"
    return f"a zone had such a piece ({said})" if indices[worst] <= -1 else f"memory was short ({said})"


def _explains(event: LogEvent, failure: Failure) -> bool:
    if event.stamp is None or failure.stamp is None or not 0 <= failure.stamp - event.stamp <= FALLOUT_SECONDS:
        return False
    return any(failure.pid == kill.pid or failure.name == kill.name for kill in event.kills)
