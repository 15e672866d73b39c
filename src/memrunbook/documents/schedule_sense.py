"""What is wrong with a schedule by itself: times that cannot be, limits within which nothing can be done, consents."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator

from memrunbook import catalog
from memrunbook.core.inventory.patterns import is_empty
from memrunbook.core.schedule import cron_problem
from memrunbook.core.text import clean
from memrunbook.core.units import format_duration
from memrunbook.documents.config import some
from memrunbook.documents.freezes import near_zone, zone_named
from memrunbook.documents.schedule_spec import CRON, WHEN, ScheduleSpec

SHORTEST, LONGEST = 5.0, 366 * 86_400.0
LONGEST_JITTER = 86_400.0
LEAST = 1.0
"""Seconds: a limit that is shorter lets nothing be done."""
SHOWN = 60


def timing(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the times of a schedule: its key, the message, the hint."""
    if (spec.cron is None) == (spec.every is None):
        what = "it says neither cron nor every" if spec.cron is None else "it says both cron and every"
        yield "", what, f'write one of them: cron: "30 3 * * *", or every: "1h"; cron has {CRON}'
    if spec.cron is not None and (wrong := cron_problem(spec.cron)):
        yield "cron", f'"{clean(spec.cron, SHOWN)}" is no cron line: {wrong}', CRON
    every = None if spec.every is None else float(spec.every)
    if every is not None and not SHORTEST <= every <= LONGEST:
        yield "every", f"{format_duration(every)} is no interval", "from 5 s to 366 d"
    if spec.jitter is not None and float(spec.jitter) >= min(every or LONGEST, LONGEST_JITTER):
        yield "jitter", "the jitter is as long as the interval, or a day", "write a shorter one"
    yield from _limits(spec)
    if (zone := zone_named(spec.timezone)) is None:
        yield "timezone", f'there is no time zone "{clean(spec.timezone, SHOWN)}"', near_zone(spec.timezone)
    else:
        yield from _validity(spec, zone)


def _limits(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """Limits within which nothing could ever be done."""
    for key, given in (("timeout", spec.timeout), ("patience", spec.patience)):
        if given is not None and float(given) < LEAST:
            yield (
                key,
                f"within {format_duration(float(given))} nothing can be done",
                "write 1s or more, or leave it out",
            )
    grace = spec.misfire_grace
    if grace is not None and float(grace) < LEAST and spec.catch_up == "none":
        hint = "write 1s or more; without it: 5m. With catch_up: last what is late is done all the same"
        yield "misfire_grace", "each firing starts a little late: all would be missed", hint


def _validity(spec: ScheduleSpec, zone: dt.tzinfo) -> Iterator[tuple[str, str, str]]:
    found: list[float] = []
    for key, given in (("valid_from", spec.valid_from), ("valid_until", spec.valid_until)):
        moment = None if given is None else moment_of(given, zone)
        if given is not None and moment is None:
            yield key, f'"{clean(given, SHOWN)}" is no such time', WHEN
        found += [] if moment is None else [moment]
    if len(found) > 1 and found[0] >= found[1]:
        yield "valid_until", "it ends before it begins", "valid_until must be later than valid_from"


def words(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """Words that name nothing: an empty one would stand for every host of an inventory, or for no freeze."""
    hosts = some(spec.hosts)
    for word in hosts or ("",):
        if is_empty(word.strip()) or word.strip() == "@":
            what = f"{clean(word, SHOWN)!r} leaves out which hosts are meant" if hosts else "no host is named"
            yield "hosts", what, "write hosts, groups or patterns, or all for every host of the inventory"
    for key, given in (("inventory", some(spec.inventory)), ("not_during", some(spec.not_during))):
        if any(not word.strip(", ") for word in given):
            yield key, "an empty word names nothing", "leave the key out where nothing is meant"


def consents(spec: ScheduleSpec) -> Iterator[tuple[str, str, str]]:
    """What is allowed names an action and its target: nobody looks at a schedule again for years."""
    kinds = catalog.actions() if spec.allow else {}
    for word in spec.allow:
        action, colon, target = word.partition(":")
        if action not in kinds:
            near = difflib.get_close_matches(action, kinds, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "ACTION:TARGET, as in restart_unit:search-api.service"
            yield "allow", f"there is no action {clean(action, SHOWN)!r}", hint
        elif not (colon and target.strip()):
            target = kinds[action].only_target or "search-api.service"
            yield "allow", f"{action} is allowed without its target", f"write which one, as in {action}:{target}"


def moment_of(text: str, zone: dt.tzinfo) -> float | None:
    """Seconds since 1970 of a time as it is written; None for what is none."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
