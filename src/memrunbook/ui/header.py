"""The head of a page: which host this is, and what was read of it when."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from memrunbook.core.instant import Instant
from memrunbook.core.plan.rules import host_off_words
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import WHERE, Signals
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.units import format_bytes, format_duration
from memrunbook.linux.places import Place, shown
from memrunbook.ui.block import Block, Line, Row, Span, line, row, to_type
from memrunbook.ui.words import moment_words

HOST, MEMORY, FACTS, RUNBOOK = "Host     ", "Memory   ", "Facts    ", "Runbook  "


def host_row(snapshot: Snapshot) -> Row:
    """The host: its name as the operator wrote it, and what kind of machine it is."""
    parts = [
        _with("Linux {}", snapshot.value("host.kernel")),
        _with("{} RAM", _size(snapshot.value("memory.total_bytes"))),
        _with("{} swap", _size(snapshot.value("swap.total_bytes") or "no")),
        _with("up {}", _span(snapshot.value("host.uptime_seconds"))),
    ]
    return row(HOST, Span(snapshot.host, "strong"), body=", ".join(part for part in parts if part))


def memory_rows(snapshot: Snapshot) -> tuple[Row, ...]:
    """Where the memory is: what is available first, then who holds 1 % of RAM and more; nothing where it is unknown."""
    return _memory({metric: snapshot.value(metric) for metric in WHERE})


def kept_memory_rows(kept: Signals) -> tuple[Row, ...]:
    """The same from what a run kept of the host that it left."""
    try:
        places = msgspec.convert(kept.get("memory.places"), list[Place])
    except msgspec.ValidationError:
        return ()
    return _memory({**kept, "memory.places": places})


def facts_row(snapshot: Snapshot, now: Instant | None = None) -> Row:
    """How much was read, how long that took, over which sample, and when."""
    absent = sum(isinstance(r, Unavailable) and r.reason == "absent" for r in snapshot.readings.values())
    read = sum(not isinstance(r, Unavailable) for r in snapshot.readings.values())
    missing = f", {absent} not offered by this host" if absent else ""
    took = format_duration(max(0.0, snapshot.seconds - snapshot.span))
    sample = f" ({format_duration(snapshot.span)} sample)" if snapshot.span else ""
    words = f"{read} of {len(snapshot.readings)} read in {took}{sample}{missing}"
    return row(FACTS, body=f"{words}, {moment_words(snapshot.taken_at.utc, now)}")


def _memory(values: Mapping[str, Any]) -> tuple[Row, ...]:
    total, available, places = (values.get(metric) for metric in WHERE)
    if not isinstance(total, int) or not isinstance(available, int) or not isinstance(places, list):
        return ()
    held = ", ".join(f"{name} {format_bytes(size)}{_parts(parts)}" for name, size, parts in shown(places))
    body = f"{format_bytes(available)} of {format_bytes(total)} available"
    return (row(MEMORY, body=f"{body}; {held}" if held else body),)


def _parts(parts: list[Place]) -> str:
    told = ", ".join(f"{part.name} {format_bytes(part.bytes)}" for part in parts)
    return f" ({told})" if told else ""


def off_blocks(snapshot: Snapshot, off: str = "") -> list[Block]:
    """Why nothing may be changed now: `off` is what the switch says of all hosts, the snapshot of this one."""
    return [switched_off_line(words) for words in (off, host_off_words(snapshot)) if words]


def switched_off_line(words: str, where: str = "") -> Line:
    """Why nothing may be changed, or on which hosts."""
    return line(Span("SWITCHED OFF", "warning"), ": ", Span(words, whole=True), f"; nothing will be changed{where}")


def held_blocks(held: Sequence[str]) -> list[Block]:
    """What is frozen or changed for a while: it comes first, as all below it is seen under it."""
    if not held:
        return []
    title = line(
        Span("HELD", "warning"), ": frozen or changed for a while; that may be all that keeps an incident away"
    )
    return [title, *(line(Span(words, whole=True), indent=2) for words in held)]


def open_blocks(left: Sequence[OpenStep]) -> list[Block]:
    """What runs began on this host and nobody saw the end of: before anything else is done it is looked at."""
    if not left:
        return []
    title = line(Span("OPEN", "unknown"), ": begun on this host, and nobody saw how it ended")
    blocks: list[Block] = [title]
    for opened in left:
        blocks.append(line(Span(opened.told, whole=True), f" (run {opened.run}{_by(opened.who)})", indent=2))
        report = to_type(f"runbook report {opened.run}")
        blocks.append(line(Span("hint: ", "hint"), report, _looks(opened), indent=4))
    return blocks


def _by(who: str) -> str:
    return f" by {who}" if who else ""


def _looks(opened: OpenStep) -> str:
    if not opened.once or opened.answer == "done":
        return "; the next run looks at it first"
    consent = f"--allow {shlex.quote(opened.consent)}"
    return f"; the next run looks first; where that cannot tell, it repeats it with {consent} alone"


def _with(words: str, value: object) -> str:
    return "" if isinstance(value, Unavailable) else words.format(value)


def _size(value: object) -> object:
    return format_bytes(value) if isinstance(value, int) else value


def _span(value: object) -> object:
    return format_duration(value) if isinstance(value, float) else value
