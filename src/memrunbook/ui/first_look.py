"""What the first reading of a host says, before anything is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import format_bytes, format_duration
from memrunbook.ui.block import Line, Span, text


def first_look(snapshot: Snapshot) -> Line:
    """One line: available memory, pressure, free swap, the last OOM kill, the largest holder; what is known of it."""
    parts = [*_memory(snapshot), *_pressure(snapshot), *_swap(snapshot), *_kill(snapshot), *_largest(snapshot)]
    words = ", ".join(parts) or "nothing could be read"
    return Line(text(Span(snapshot.host, "quiet"), "  "), text(Span("first look", "strong"), ": ", words))


def _known(snapshot: Snapshot, metric: str) -> Any:
    value = snapshot.value(metric)
    return None if isinstance(value, Unavailable) else value


def _memory(snapshot: Snapshot) -> Iterator[str]:
    available, percent = _known(snapshot, "memory.available_bytes"), _known(snapshot, "memory.available_percent")
    if available is not None and percent is not None:
        yield f"{format_bytes(available)} available ({percent:.1f} %)"


def _pressure(snapshot: Snapshot) -> Iterator[str]:
    short, long = _known(snapshot, "pressure.full.avg10"), _known(snapshot, "pressure.full.avg60")
    if short is not None and long is not None:
        yield f"PSI full avg10 {short:.1f} %, avg60 {long:.1f} %"


def _swap(snapshot: Snapshot) -> Iterator[str]:
    total, free = _known(snapshot, "swap.total_bytes"), _known(snapshot, "swap.free_bytes")
    if total == 0:
        yield "no swap"
    elif total is not None and free is not None:
        yield f"{format_bytes(free)} of {format_bytes(total)} swap free"


def _kill(snapshot: Snapshot) -> Iterator[str]:
    kills = [event for event in _known(snapshot, "oom.events") or () if event.victim]
    if kills:
        last = min(kills, key=lambda event: float("inf") if event.age_seconds is None else event.age_seconds)
        when = "" if last.age_seconds is None else f" {format_duration(last.age_seconds)} ago"
        yield f"{last.victim} killed for memory{when}"


def _largest(snapshot: Snapshot) -> Iterator[str]:
    processes = _known(snapshot, "processes.all") or ()
    held = [(one.anonymous_bytes + (one.swap_bytes or 0), one) for one in processes]
    if held:
        size, largest = max(held, key=lambda pair: pair[0])
        of = f" of {largest.unit}" if largest.unit else ""
        yield f"largest: {largest.name} (pid {largest.pid}){of} with {format_bytes(size)}"
