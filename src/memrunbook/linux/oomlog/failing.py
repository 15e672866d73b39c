"""Tells one allocation that the kernel could not serve: what it was for want of, and where the memory sat."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit, format_bytes
from memrunbook.linux.oomlog import explain, places
from memrunbook.linux.oomlog.account import LOG, OomPlace
from memrunbook.linux.oomlog.category import judged
from memrunbook.linux.oomlog.event import Failure, KernelLog, LogEvent
from memrunbook.linux.oomlog.telling import LARGEST_ORDER, bytes_of, zone_words
from memrunbook.linux.zones import NO_NODES, Judgement

FALLOUT_SECONDS = 10.0
MOST_NODES_SHOWN = 40


class FailureAccount(Struct, frozen=True, kw_only=True):
    """One failed allocation in full."""

    short: Annotated[str, Doc("short fragmented not-short unknown, of the zones it might use", source="zones")]
    zone: Annotated[str, Doc("the zone that decided", source="zones")] = ""
    fallout: Annotated[bool, Doc("the kernel had just killed who asked", source=LOG)] = False
    says: Annotated[str, Doc("what it was for want of, in words", source=LOG)] = ""
    total_bytes: Annotated[int | None, Doc("RAM", Unit.BYTES, "Mem-Info")] = None
    places: Annotated[tuple[OomPlace, ...], Doc("where the memory sat, most first", source="Mem-Info")] = ()


def failure_account(failure: Failure, log: KernelLog) -> FailureAccount:
    """All that is said of a failure; `log` tells whether it is the fallout of a kill."""
    found, total = judged(failure, failure.request), explain.of_host(failure).total_kib
    fallout = any(explains(event, failure) for event in log.events)
    return FailureAccount(
        short=found.state,
        zone=found.zone,
        fallout=fallout,
        says="fallout: the kernel had just killed it" if fallout else _says(failure, found),
        total_bytes=None if total is None else bytes_of(total),
        places=places.of_host(failure) if failure.counts else (),
    )


def explains(event: LogEvent, failure: Failure) -> bool:
    """A process that was just killed may fail to allocate on its way out: by pid, its threads by their name."""
    if event.stamp is None or failure.stamp is None or not 0 <= failure.stamp - event.stamp <= FALLOUT_SECONDS:
        return False
    return any(failure.pid == kill.pid or failure.name == kill.name for kill in event.kills)


def _says(failure: Failure, found: Judgement) -> str:
    zones = zone_words(found)
    detail = f" ({zones})" if zones else ""
    if failure.order:
        return f"{_pages(failure.order)} in one piece: {_large(failure, found)}"
    if found.state == "not-short":
        return f"memory was not short: {_refuser(failure)} said no{detail}"
    if failure.atomic:
        return f"could not wait, and the reserve was empty (vm.min_free_kbytes){detail}"
    if found.state == "short":
        return f"no page was left that it may use{detail}"
    return f"no page was given; whether memory was short the log does not show{_free(failure)}"


def _refuser(failure: Failure) -> str:
    """Who may have said no where memory was free: most likely whom the line itself names."""
    nodes = failure.nodemask
    policy = f"the memory policy (nodes {nodes[:MOST_NODES_SHOWN]}), " if nodes and nodes != NO_NODES else ""
    return f"{policy}a group's limit, a cpuset or code of the vendor"


def _large(failure: Failure, found: Judgement) -> str:
    index = "" if found.index is None else f" ({found.zone} index {found.index:.3f})"
    if found.state == "fragmented":
        return f"memory was fragmented{index}{_free(failure)}"
    if found.state == "short":
        return f"memory was short{index or f' ({zone_words(found)})'}{_free(failure) if index else ''}"
    if found.index is not None:
        return f"a zone had such a piece{index}{_free(failure)}"
    return f"the log does not show the free blocks{_free(failure)}"


def _pages(order: int) -> str:
    return f"{1 << order:,} pages" if order < LARGEST_ORDER else "very many pages"


def _free(failure: Failure) -> str:
    free = explain.of_host(failure).free_kib
    return "" if free is None else f"; {format_bytes(bytes_of(free))} were free"
