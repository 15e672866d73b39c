"""Reads the freeze windows of config.yaml: times in the zone of a place, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from msgspec import Meta, Struct

from memrunbook.core.errors import Problem
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.text import clean
from memrunbook.core.window import DAYS, Day, left_out, minutes_of, moment
from memrunbook.documents.source import Source

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
DATE = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
SHOWN = 60
TIMES = 'with days: a time of the day, as in "22:00"; without: a date and a time, as in "2026-12-20 18:00"'


class FreezeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `freeze`: a window of time in which nothing is changed on these hosts.

    With `days` it is a window of each of these days, over midnight where it ends at an earlier time than it begins;
    without, it is once.
    """

    name: Annotated[
        str, Meta(pattern="^[a-z0-9][a-z0-9-]*$", max_length=60, description="its word in --allow freeze:NAME")
    ]
    zone: Annotated[str, Meta(min_length=1, description="an IANA time zone, as in Europe/Berlin")]
    from_: Annotated[str, Meta(description=TIMES)] = msgspec.field(name="from")
    until: Annotated[str, Meta(description="as `from`; 24:00 is the end of the day")]
    days: Annotated[tuple[Day, ...] | None, Meta(description="the days on which it begins")] = None
    hosts: Annotated[str, Meta(min_length=1, description="a shell pattern of host names")] = "*"
    why: Annotated[str, Meta(description="what is told to whoever it stops")] = ""


def windows(source: Source, specs: tuple[FreezeSpec, ...], problems: list[Problem]) -> tuple[FreezeWindow, ...]:
    """The windows; what is wrong with them is added to `problems`."""
    found = []
    for number, spec in enumerate(specs):
        faults = [*_faults(source, specs, number)]
        problems += faults
        if not faults:
            found.append(_window(source, spec, number))
    return tuple(found)


def _faults(source: Source, specs: tuple[FreezeSpec, ...], number: int) -> Iterator[Problem]:
    spec, at = specs[number], ("freeze", number)
    if spec.name in [one.name for one in specs[:number]]:
        first = next(n for n, one in enumerate(specs) if one.name == spec.name)
        earlier = source.where(("freeze", first, "name"))
        yield Problem(source.where((*at, "name")), f"{spec.name} names two windows", f"the first: {earlier}")
    if spec.days == ():
        hint = "name the days, or leave `days` out for a window that is once"
        yield Problem(source.where((*at, "days")), "no day is named: this window would never hold", hint)
    zone = zone_named(spec.zone)
    if zone is None:
        what = f'there is no time zone "{clean(spec.zone, SHOWN)}"'
        yield Problem(source.where((*at, "zone")), what, near_zone(spec.zone))
    wrong = [name for name, text in _sides(spec) if not _readable(spec, text)]
    for name in wrong:
        yield Problem(source.where((*at, name)), f'"{clean(dict(_sides(spec))[name], SHOWN)}" is no such time', TIMES)
    if zone is not None and not wrong:
        yield from _order(source, spec, number, zone)


def _sides(spec: FreezeSpec) -> tuple[tuple[str, str], ...]:
    return ("from", spec.from_), ("until", spec.until)


def _readable(spec: FreezeSpec, text: str) -> bool:
    if spec.days is not None:
        return CLOCK.fullmatch(text) is not None
    match = DATE.fullmatch(text)
    try:
        return match is not None and bool(dt.date.fromisoformat(match[1]))
    except ValueError:
        return False


def _order(source: Source, spec: FreezeSpec, number: int, zone: ZoneInfo) -> Iterator[Problem]:
    """A window that would never hold, or at times that there are not."""
    at = ("freeze", number)
    if spec.days is not None:
        if spec.from_ in (spec.until, "24:00"):
            hint = 'for a whole day write from: "00:00", until: "24:00"'
            yield Problem(source.where((*at, "until")), "the window ends when it begins", hint)
        return
    for name, text in _sides(spec):
        day, minutes = _date(text)
        if left_out(day, minutes, zone):
            shown = dt.datetime.fromtimestamp(moment(day, minutes, zone)[0], zone)
            what = f"{text} does not exist in {spec.zone}: clocks are put forward"
            yield Problem(source.where((*at, name)), what, f'write "{shown:%Y-%m-%d %H:%M}"')
    begin, end = (_date(text) for _, text in _sides(spec))
    if moment(*end, zone)[1] <= moment(*begin, zone)[0]:
        hint = "`until` must be later than `from`"
        yield Problem(source.where((*at, "until")), "the window ends before it begins", hint)


def _window(source: Source, spec: FreezeSpec, number: int) -> FreezeWindow:
    zone = ZoneInfo(spec.zone)
    if spec.days is None:
        begin, end = moment(*_date(spec.from_), zone)[0], moment(*_date(spec.until), zone)[1]
    else:
        begin, end = minutes_of(spec.from_), minutes_of(spec.until)
    return FreezeWindow(
        name=spec.name,
        where=source.line(("freeze", number)),
        zone=spec.zone,
        begin=begin,
        end=end,
        days=frozenset(DAYS[day] for day in spec.days or ()),
        hosts=spec.hosts,
        why=spec.why,
    )


def _date(text: str) -> tuple[dt.date, int]:
    return dt.date.fromisoformat(text[:10]), minutes_of(text[11:])


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such file, a path, a folder
        return None


def near_zone(name: str) -> str:
    """What to write instead of a name that is no time zone."""
    known = {zone.casefold(): zone for zone in available_timezones()}
    if not known:
        return "no time zones are known on this machine: install tzdata"
    last = {folded.rpartition("/")[2]: zone for folded, zone in known.items()}
    wanted = name.casefold().replace(" ", "_")
    near = difflib.get_close_matches(wanted, known, 1) or difflib.get_close_matches(wanted, last, 1)
    found = known.get(near[0]) or last[near[0]] if near else ""
    return f'did you mean "{found}"?' if found else "write an IANA name, as in Europe/Berlin or UTC"
