"""Who is behind an incident, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.units import DAY, HOUR, MIB, MINUTE, format_bytes, format_duration
from memrunbook.ui.block import Note, Row, Span, note, row
from memrunbook.ui.words import range_words

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
LOW, HIGH = "growth_low_bytes_per_second", "growth_high_bytes_per_second"
"""The ends of the interval that the speed of a leak lies in, of one that its history tells."""


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


def sentence(*suspects: Suspect) -> str:
    """What a suspect does, behind its name: "holds 38.2 GiB, 2.0 GiB more in swap, and grows …".

    Of several, each on a host of its own, the figures are a range: "holds 2.1-38.2 GiB".
    """
    held = spread([_held(one) for one in suspects], format_bytes)
    swapped = spread([_bytes(one, "swap_bytes") for one in suspects], format_bytes)
    growing = spread([_growth(one.facts) for one in suspects], _a_minute)
    faults = spread([_faults(one.facts) for one in suspects], "{:,.0f}".format)
    many = _many(suspects[0])
    if len(suspects) == 1 and LOW in suspects[0].facts:
        return leak_words(suspects[0].facts)
    parts = ["is frozen"] * (suspects[0].facts.get("freezer_state") == "frozen")
    parts += [f"{'hold' if many else 'holds'} {held}"] if held else []
    parts += [f"{swapped} more in swap" if held else f"has {swapped} in swap"] if swapped else []
    parts += [f"has {faults} major faults/s"] if faults else []
    if growing:
        return f"{', '.join(parts)}{',' if swapped else ''} and grows {growing}" if parts else f"grows {growing}"
    return ", ".join(parts) or f"{'are' if many else 'is'} the likely cause"


def leak_words(facts: Mapping[str, Any]) -> str:
    """A leak that its history tells: "grows 61 MiB/h (57 to 66) for 3 d; reaches its own limit of 4.0 GiB in …"."""
    speed, low, high = (facts[name] * HOUR / MIB for name in ("growth_bytes_per_second", LOW, HIGH))
    lives = facts.get("lives", 1)
    over = f" for {format_duration(facts['known_seconds'])}" + (f", over {lives} lives" if lives > 1 else "")
    grows = f"grows {speed:,.0f} MiB/h ({max(low, 0.0):,.0f} to {high:,.0f}){over}"
    own, host = facts.get("seconds_to_limit"), facts.get("seconds_to_exhaustion")
    if own is not None and (host is None or own <= host):
        earliest, latest = facts["earliest_seconds_to_limit"], facts.get("latest_seconds_to_limit")
        between = range_words(_rough(earliest), _rough(latest)) if latest else f"{_rough(earliest)} at the earliest"
        limit = format_bytes(facts.get("limit_bytes") or 0)
        grows += f"; reaches its own limit of {limit} in {_rough(own)} ({between}), if nothing changes"
    elif host is not None:
        grows += f"; memory and swap are full in {_rough(host)}, if nothing changes"
    return grows + _window(facts)


def _window(facts: Mapping[str, Any]) -> str:
    """When services.yaml lets it be restarted as planned; nothing where that says no such time."""
    if "window" not in facts:
        return ""
    stands = "is open" if facts["in_window"] else f"opens in {_rough(facts['window_opens_seconds'])}"
    return f"; its window ({facts['window']}) {stands}"


def _rough(seconds: float) -> str:
    """A time ahead in one unit: "40 min", "21 h", "9 d"; more would be more than is known."""
    if seconds >= 2 * DAY:
        return f"{seconds / DAY:,.0f} d"
    return f"{seconds / HOUR:.0f} h" if seconds >= 2 * HOUR else f"{seconds / MINUTE:.0f} min"


def spread(figures: Sequence[float], write: Callable[[float], str]) -> str:
    """Figures of several hosts in words: "2.1-38.2 GiB", "up to 2.0 GiB" where some have none (0), "" where all."""
    known = [figure for figure in figures if figure]
    if len(known) < len(figures):
        return f"up to {write(max(known))}" if known else ""
    return range_words(write(min(known)), write(max(known)))


def _many(suspect: Suspect) -> bool:
    """True of what is called in the plural: "page tables of db.service", "idle huge pages"."""
    name = suspect.name.partition(" of ")[0]
    return suspect.kind in ("kernel", "setting") and " " in name and name.endswith("s")


def _facts(suspect: Suspect) -> str:
    if LOW in suspect.facts:
        return leak_words(suspect.facts)
    pid = suspect.facts.get("pid")
    parts = [f"pid {pid}"] if pid else []
    for field, words in HELD.items():
        value = _bytes(suspect, field)
        parts += [f"{words} {format_bytes(value)}"] if value else []
    maps = suspect.facts.get("maps")
    parts += [f"mostly {maps}"] if isinstance(maps, str) and maps else []
    faults, growing = _faults(suspect.facts), _growth(suspect.facts)
    parts += [f"has {faults:,.0f} major faults/s"] if faults else []
    parts += [f"+{_a_minute(growing)}"] if growing else []
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


def _faults(facts: Mapping[str, Any]) -> float:
    """Major faults a second of who reads pages back from a disk all the time; 0 of all others."""
    rate = facts.get("major_faults_per_second")
    return rate if isinstance(rate, float) and rate >= MANY_FAULTS else 0.0


def _growth(facts: Mapping[str, Any]) -> float:
    """Bytes a minute, 0 below 1 MiB."""
    rate = facts.get("growth_bytes_per_second")
    a_minute = rate * MINUTE if isinstance(rate, int | float) else 0.0
    return a_minute if a_minute >= MIB else 0.0


def _a_minute(growing: float) -> str:
    return f"{growing / MIB:,.0f} MiB/min"
