"""What to do for good, under the likeliest cause: who it is from the suspect, its programs from the snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import MIB, MINUTE
from memrunbook.linux.advice import Capacity, Consumer, advice
from memrunbook.ui.block import Row, Span, row

LABEL = "Advice   "
MOSTLY_HIDDEN = 60.0
"""Below this share of RAM in processes, in %, something else held the memory."""


def advice_rows(causes: Sequence[Suspect], snapshot: Snapshot | None = None, *, ram: int = 0) -> list[Row]:
    """At most three rows for the first suspect that is a service or a process.

    Without a snapshot they rest on its figures alone, and on the host's `ram` in bytes, 0 where that is not known.
    """
    first = next(iter(causes), None)
    if first is None or first.kind not in ("unit", "process") or _elsewhere(first.facts):
        return []
    lines = advice(_holder(first, snapshot), _host(snapshot, ram))
    return [row(LABEL if number == 0 else "", body=Span(words, whole=True)) for number, words in enumerate(lines)]


def _elsewhere(facts: Mapping[str, Any]) -> bool:
    """True of a victim that no limit on it would have saved: its node was full, or no process held the memory."""
    share = facts.get("task_memory_percent")
    return facts.get("class") in ("cpuset", "mempolicy", "page-fault") or (share is not None and share < MOSTLY_HIDDEN)


def _holder(suspect: Suspect, snapshot: Snapshot | None) -> Consumer:
    facts, unit = suspect.facts, suspect.kind == "unit"
    own = facts.get("own_bytes") or (facts.get("anonymous_bytes") or 0) + (facts.get("swap_bytes") or 0)
    own = own or facts.get("victim_bytes") or 0
    found = [one for one in _all(snapshot, "processes.all") if one.unit == suspect.name] if unit else []
    largest = sorted(found, key=lambda one: -(one.anonymous_bytes or 0))
    names = [one.name for one in largest] if unit else [suspect.name]
    return Consumer(
        name=suspect.name,
        unit=unit,
        held=own,
        limit=facts.get("memory_max_bytes") or facts.get("limit_bytes"),
        grows=(facts.get("growth_bytes_per_second") or 0) * MINUTE >= MIB,
        waits="major_fault_share" in facts,
        killed="victim" in facts,
        programs=names,
        workers=Counter(names)[names[0]] if names else 1,
    )


def _host(snapshot: Snapshot | None, known: int) -> Capacity:
    if snapshot is None:
        return Capacity(ram=known)
    ram = snapshot.value("memory.total_bytes")
    held = sum(one.own_bytes or 0 for one in _all(snapshot, "units.all"))
    growing = bool(_all(snapshot, "units.growing"))
    return Capacity(ram=0 if isinstance(ram, Unavailable) else ram, working_set=held, grows=growing)


def _all(snapshot: Snapshot | None, name: str) -> Sequence[Any]:
    found = Unavailable("absent", "") if snapshot is None else snapshot.value(name)
    return () if isinstance(found, Unavailable) else found
