"""What is known of the end of a ledger, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from memrunbook.ui.words import counts, plural

NAMED = 8


class Agreement(Protocol):
    """A host's own log beside the journals here."""

    @property
    def host(self) -> str: ...

    @property
    def here(self) -> int: ...

    @property
    def agreed(self) -> int: ...

    @property
    def sources(self) -> Sequence[str]: ...

    @property
    def problem(self) -> str: ...

    @property
    def end_known(self) -> bool: ...


class StoreSight(Protocol):
    """What a store saw of a ledger."""

    @property
    def name(self) -> str: ...

    @property
    def entry(self) -> int | None: ...

    @property
    def others(self) -> int: ...

    @property
    def problem(self) -> str: ...


def store_view(count: int, store: StoreSight) -> Iterator[tuple[str, str]]:
    """How much of a ledger of so many entries a store saw, and whether it knows others of this control node."""
    if store.problem:
        yield "Store", f"{store.name} was not asked: nothing is proven by it"
        return
    behind = count - (store.entry or 0)
    if store.entry is None:
        seen = "knows nothing of this ledger"
    else:
        newer = f"; of the {_entries(behind)} after it nobody else knows the end" if behind else ", the last"
        seen = f"saw entry {store.entry:,} of {count:,}{newer}"
    others = f"; it knows {plural(store.others, 'other ledger')} of this control node" if store.others else ""
    yield "Store", f"{store.name} {seen}{others}"


def ends_view(
    count: int, head: str, expected: int | None, compared: Sequence[Agreement], *, intact: bool
) -> Iterator[tuple[str, str]]:
    """Titles and words: the expected head, each host's log, the scope of what they prove, the head to keep."""
    if expected:
        newer = count - expected
        behind = f"; of the {_entries(newer)} after it nobody else knows the end"
        yield (
            "Expected",
            f"entry {expected:,} of {count:,} is the head that was kept elsewhere{behind if newer else ''}",
        )
    for one in compared:
        yield one.host, _agreement(one)
    if compared and intact:
        yield (
            "Scope",
            "a host's log tells of changes to that host: not of other hosts, nor of runs that changed nothing",
        )
    if head and intact:
        yield "Head", f"{head} (keep it elsewhere: --expect HEAD, or --expect-file FILE)"


def unasked_view(unasked: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The other hosts of the ledger, whose logs nobody has asked."""
    if unasked:
        names = ", ".join(unasked[:NAMED]) + (f" and {len(unasked) - NAMED:,} more" if len(unasked) > NAMED else "")
        yield "Not asked", f"{names}: what was changed there last is not known, so the end is not proven"


def _entries(count: int) -> str:
    return plural(count, "entry").replace("entrys", "entries")


def _agreement(one: Agreement) -> str:
    if not one.sources:
        return f"no log could be read there{': ' if one.problem else ''}{one.problem}: nothing is proven by it"
    missing = one.here - one.agreed
    why = "unknown: the log was rotated or lost with a reboot, or the change never began"
    said = counts([(one.agreed, "stand in its log too"), (missing, f"do not ({why})")]) or "none made"
    newest = "; the newest is there" if one.end_known else "; the newest is not: the end is not proven by it"
    read = f" (read: {', '.join(one.sources)})"
    problem = f"; {one.problem}" if one.problem else ""
    return f"{plural(one.here, 'change')} here: {said}{newest if one.here else ''}{read}{problem}"
