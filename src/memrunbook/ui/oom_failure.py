"""Failed allocations that a kernel log tells of beside its events: each with what it was for want of."""

from __future__ import annotations

from memrunbook.linux.oomlog.event import Failure, KernelLog
from memrunbook.linux.oomlog.failing import FailureAccount, failure_account
from memrunbook.linux.places import FREE
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row
from memrunbook.ui.oom_event import place_size
from memrunbook.ui.words import plural

LARGEST_PLACES = 3


def failure_blocks(log: KernelLog, most: int) -> list[Block]:
    """The newest failed allocations, each with what it was for want of."""
    shown = log.failures[max(0, len(log.failures) - most) :]
    if not log.failures:
        return []
    rows = [entry for failure in shown for entry in _entries(failure, failure_account(failure, log))]
    older = f", the newest {len(shown)}" if len(shown) < len(log.failures) else ""
    return [BLANK, line(Span(plural(len(log.failures), "failed allocation") + older, "strong")), Grid(tuple(rows))]


def _title(failure: Failure) -> str:
    when = failure.date or ("" if failure.stamp is None else f"{failure.stamp:,.1f} s")
    return f"{when}  {failure.name}, order {failure.order}".strip()


def _entries(failure: Failure, told: FailureAccount) -> list[Row | Note]:
    held = [place for place in told.places if place.name != FREE][:LARGEST_PLACES]
    words = [f"{place.name} {place_size(place)}" for place in held]
    shown = bool(words) and told.short == "short" and not told.fallout
    memory = [note("memory  ", ", ".join(words))] if shown else []
    return [row(_title(failure), body=told.says), *memory]
