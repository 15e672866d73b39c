"""Who is behind an incident, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.units import MIB, MINUTE, format_bytes, format_duration
from memrunbook.ui.block import Note, Row, Span, note, row

# What people call the fields of those who hold memory, in the order of interest.
HELD: Mapping[str, str] = {
    "anonymous_bytes": "anonymous",
    "swap_bytes": "in swap",
    "file_bytes": "file pages",
    "shared_bytes": "shared",
    "kernel_bytes": "kernel",
    "bytes": "holds",
    "idle_bytes": "idle",
    "used_bytes": "used",
    "size_bytes": "size",
    "memory_max_bytes": "MemoryMax",
    "victim_bytes": "held when it was killed",
}
KINDS: Mapping[str, str] = {"kernel": "memory of the kernel", "setting": "a setting", "cgroup": "a control group"}
"""What a suspect is of which there are no figures."""
NO_VICTIM = "no-victim"
"""The class of an event in which nobody could be killed."""
LOST = 1e9
"""The age of a kill that no log shows."""

MANY_FAULTS = 10.0


def cause_rows(causes: Sequence[Suspect]) -> list[Row]:
    """One row for each suspect, the first one labelled."""
    label = "Cause    " if len(causes) == 1 else "Causes   "
    return [
        row(label if index == 0 else "", Span(suspect.name, "strong"), body=_facts(suspect))
        for index, suspect in enumerate(causes)
    ]


def cause_note(suspect: Suspect) -> Note:
    """The likely cause under the finding that it is behind."""
    return note("likely cause: ", Span(suspect.name, "strong"), "  ", _facts(suspect))


def sentence(suspect: Suspect) -> str:
    """What the first suspect does, behind its name: "holds 38.2 GiB, 2.0 GiB more in swap, and grows …"."""
    held, swapped = _held(suspect), _bytes(suspect, "swap_bytes")
    growing = _growth(suspect.facts)
    parts = ["is frozen"] * (suspect.facts.get("freezer_state") == "frozen")
    parts += [f"{'hold' if _many(suspect) else 'holds'} {format_bytes(held)}"] if held else []
    parts += [f"{format_bytes(swapped)} more in swap" if held else f"has {format_bytes(swapped)} in swap"] * bool(
        swapped
    )
    parts += _faults(suspect.facts)
    if growing:
        return f"{', '.join(parts)}{',' if swapped else ''} and grows {growing}" if parts else f"grows {growing}"
    return ", ".join(parts) or f"{'are' if _many(suspect) else 'is'} the likely cause"


def _many(suspect: Suspect) -> bool:
    """True of what is called in the plural: "page tables of db.service", "idle huge pages"."""
    name = suspect.name.partition(" of ")[0]
    return suspect.kind in ("kernel", "setting") and " " in name and name.endswith("s")


def _facts(suspect: Suspect) -> str:
    pid = suspect.facts.get("pid")
    parts = [f"pid {pid}"] if pid else []
    for field, words in HELD.items():
        value = _bytes(suspect, field)
        parts += [f"{words} {format_bytes(value)}"] if value else []
    maps = suspect.facts.get("maps")
    parts += [f"mostly {maps}"] if isinstance(maps, str) and maps else []
    parts += _faults(suspect.facts)
    growing = _growth(suspect.facts)
    parts += [f"+{growing}"] if growing else []
    left = suspect.facts.get("seconds_to_exhaustion")
    parts += [f"memory and swap full in {format_duration(left)}"] if growing and isinstance(left, float) else []
    parts += _state(suspect.facts)
    return ", ".join(parts) or KINDS.get(suspect.kind, suspect.kind)


def _held(suspect: Suspect) -> int:
    """What it holds in memory; of a service all that is its own, of others the first size that is known."""
    own = _bytes(suspect, "own_bytes") - _bytes(suspect, "swap_bytes")
    sizes = ("anonymous_bytes", "used_bytes", "shared_bytes", "bytes", "idle_bytes")
    return own if own > 0 else next(filter(None, (_bytes(suspect, field) for field in sizes)), 0)


def _state(facts: Mapping[str, Any]) -> list[str]:
    """Up or down, and since when: what is down, was killed or is no process has an age of another meaning."""
    killed = facts.get("kill_age_seconds", facts.get("age_seconds") if "victim" in facts else None)
    known = isinstance(killed, float) and killed < LOST
    if "victim" in facts or facts.get("active") is False:
        state = facts.get("state", "") if facts.get("active") is False else "running"
        down = [] if state == "running" else [state if state.endswith("ing") else "down"]
        fate = "nobody killed" if facts.get("class") == NO_VICTIM else "killed"
        return [*down, *([f"{fate} {format_duration(killed)} ago"] if known else [])]
    age = facts.get("age_seconds")
    if not isinstance(age, float):
        return []
    return [f"last used {format_duration(age)} ago" if "attached" in facts else f"up {format_duration(age)}"]


def _bytes(suspect: Suspect, field: str) -> int:
    value = suspect.facts.get(field)
    return value if isinstance(value, int) and value > 0 else 0


def _faults(facts: Mapping[str, Any]) -> list[str]:
    """Who reads pages back from a disk all the time."""
    rate = facts.get("major_faults_per_second")
    return [f"has {rate:,.0f} major faults/s"] if isinstance(rate, float) and rate >= MANY_FAULTS else []


def _growth(facts: Mapping[str, Any]) -> str:
    rate = facts.get("growth_bytes_per_second")
    a_minute = rate * MINUTE / MIB if isinstance(rate, int | float) else 0
    return f"{a_minute:,.0f} MiB/min" if a_minute >= 1 else ""
