"""One out-of-memory event in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from memrunbook.core.plan.diagnosis import Finding
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import format_bytes, format_duration
from memrunbook.linux.oomlog.account import OomAccount, OomHolder, OomKilled, OomPlace
from memrunbook.linux.oomlog.telling import held_words
from memrunbook.linux.places import FREE
from memrunbook.runtime.redaction import redact
from memrunbook.ui.block import BLANK, Block, Grid, Part, Row, Span, row, title

NEWEST = "oom.newest"
SPEAKING = frozenset({"oom.events", "oom.victim_units", "oom.repeated_units", "oom.last_class", "oom.last_age_seconds"})
"""Metrics that speak of events: a check that names one is about them."""
MOST_PLACES = 6
NOTABLE = 0.01


def event_rows(told: OomAccount) -> list[Row]:
    """What happened, to whom, why, who else, where the memory was, what helps, what the log does not show."""
    inferred = " (inferred: this kernel does not print it)" if told.inferred else ""
    parts: list[tuple[str, Part]] = [
        ("What", f"{told.meaning}{inferred}"),
        ("Zone", told.zone_says),
        *_killed(told),
        ("Whose", _whose(told)),
        ("Asked by", told.asked_by),
        ("Limit", told.limit[0].says if told.limit else ""),
        ("Why it", told.why),
        ("Hog", _hog(told)),
        ("Next", "".join(f"{_named(one)}: {held_words(one)}" for one in told.following)),
        ("Memory", _memory(told)),
        ("Hidden", Span(told.hidden, "warning")),
        ("Helps", "; ".join(told.helps)),
        ("No help", "; ".join(told.useless)),
        ("Reason", Span(redact(told.reason))),
        ("Not shown", ", ".join(told.missing)),
    ]
    return [row(Span(label, "strong"), body=body) for label, body in parts if _says(body)]


def newest_event(findings: Iterable[Finding], newest: object) -> list[Block]:
    """The newest event in full where a check that fires speaks of events; `newest` as the fact has it, or a journal."""
    told = told_event(findings, newest)
    if told is None:
        return []
    when = "" if told.age_seconds is None else f", {format_duration(told.age_seconds)} before this was read"
    return [BLANK, title("Newest OOM event", when), Grid(tuple(event_rows(told)))]


def told_event(findings: Iterable[Finding], newest: object) -> OomAccount | None:
    """The newest event where it is to be told, else None."""
    speaks = any(one.metric in SPEAKING for f in findings if f.state == "firing" for one in f.evidence)
    if not speaks or isinstance(newest, Unavailable) or not newest:
        return None
    return msgspec.convert(newest, list[OomAccount], from_attributes=True)[0]


def _says(body: Part) -> bool:
    return bool(body.text) if isinstance(body, Span) else bool(body)


def _killed(told: OomAccount) -> list[tuple[str, Part]]:
    first = told.fate.capitalize().replace("Reaped", "Killed")
    rows: list[tuple[str, Part]] = [(first if n == 0 else "and", _kill(one)) for n, one in enumerate(told.killed)]
    more = f"{told.more_killed:,} more" if told.more_killed else ""
    together = "all of its group die with it (memory.oom.group)" if told.together else ""
    return [*rows, ("and", more), ("Together", together)]


def _kill(one: OomKilled) -> str:
    sizes = {"anonymous": one.anonymous_bytes, "file": one.file_bytes, "shared": one.shared_bytes}
    whole = {"held": one.held_bytes, "in swap": one.swap_bytes}  # some killers tell no more
    held = [f"{words} {format_bytes(size)}" for words, size in {**sizes, **whole}.items() if size]
    uid = [] if one.uid is None else [f"uid {one.uid}"]
    adjusted = [f"oom_score_adj {one.oom_score_adj}"] if any(whole.values()) and one.oom_score_adj is not None else []
    return ", ".join([*filter(None, [one.name]), f"pid {one.pid}", *uid, *held, *adjusted])


def _whose(told: OomAccount) -> str:
    own = (told.whose,) if " of user " in told.whose else (told.container, told.unit)
    named = [name for name in (told.pod and f"pod {told.pod}", *own) if name]
    return f"{', '.join(named)}: {told.group}" if named and told.group else ", ".join(named) or told.group


def _hog(told: OomAccount) -> Part:
    if not told.hog:
        return ""
    one = told.hog[0]
    if one.count > 1:
        known = told.total_bytes and one.memory_bytes <= told.total_bytes  # with swap it may be more
        share = f", {one.memory_bytes / told.total_bytes:.0%} of {_whole(told)}" if known and told.total_bytes else ""
        most = f"; the largest of them {format_bytes(one.largest_bytes or 0)}"
        return Span(f"{one.count:,} {one.name} together: {format_bytes(one.memory_bytes)}{share}{most}", "warning")
    protected = "; protected by oom_score_adj" if told.hog_protected else ""
    return Span(f"{_named(one)}, was larger than the victim: {held_words(one)}{protected}", "warning")


def _whole(told: OomAccount) -> str:
    return "its usage" if told.of_group else "RAM"


def _named(one: OomHolder) -> str:
    return f"{one.name}, pid {one.pid}"


def _memory(told: OomAccount) -> str:
    whole = [f"{format_bytes(told.total_bytes)} RAM"] if told.total_bytes and not told.of_group else []
    return ", ".join([*whole, *place_words(told)])


def place_size(place: OomPlace) -> str:
    """How much sat in a place, and who holds most of it."""
    return format_bytes(place.size_bytes) + (f" ({place.detail})" if place.detail else "")


def place_words(told: OomAccount) -> Sequence[str]:
    """Where the memory sat, most first, and what of swap was free."""
    least = NOTABLE * (told.total_bytes or 0)
    free = [place for place in told.places if place.name == FREE]
    held = [place for place in told.places if place.name != FREE and place.size_bytes >= least][:MOST_PLACES]
    parts = [f"{place.name} {place_size(place)}" for place in (*held, *free)]
    if told.swap_total_bytes is not None:
        parts.append(f"swap free {format_bytes(told.swap_free_bytes or 0)} of {format_bytes(told.swap_total_bytes)}")
    return parts
