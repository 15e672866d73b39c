"""What sysstat recorded of a host, as `sadf -j` prints it (versions 11 and 12): figures of the host over time. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, structs

from memrunbook.core.reading.series import Kind, Observation, Series
from memrunbook.core.units import KIB

# Each word of sysstat's in kB, the kind of holder, and our figure. `avail` came with 11.5.7, `anonpg` with `-r ALL`.
FIGURES: Mapping[str, tuple[Kind, str]] = {
    "avail": ("host", "memory.available_bytes"),
    "memfree": ("host", "memory.free_bytes"),
    "anonpg": ("host", "memory.anonymous_bytes"),
    "pgtbl": ("kernel", "memory.page_tables_bytes"),
    "swpfree": ("host", "swap.free_bytes"),
    "swpused": ("host", "swap.used_bytes"),
}
SCRIPT = r"""
command -v sadf >/dev/null 2>&1 || { printf 'no sadf\n'; return 0; }
for s_file in /var/log/sysstat/sa[0-9]* /var/log/sa/sa[0-9]*; do
  case $s_file in *'*'* | *.gz | *.xz | *.bz2) continue ;; esac
  [ -r "$s_file" ] && printf '%s\n' "$s_file"
done
"""
"""Lists the files of days on the host; `no sadf` where sysstat is not installed."""
READ = r"""
{ LC_ALL=C sadf -j $3 "$1" -- -r ALL -S || LC_ALL=C sadf -j $3 "$1" -- -r -S; } 2>/dev/null | head -c "$2"
"""
"""Prints so many bytes of one of them at most, in UTC, a line in so many seconds where `$3` says so.

Sysstat before 11.1.1 knows no `-r ALL`. A day of a second each is 50 MiB: printed whole, it would take the shell with
it, and the days after it.
"""
WHY = r"""LC_ALL=C sadf -j "$1" -- -r 2>&1 >/dev/null | head -c 1000"""
"""What sadf says of one that it does not print."""
EACH_MINUTE = "60"
"""The history keeps no more of a host than that."""


class RecordedDay(Struct, frozen=True):
    """One file: its series, and when the host was restarted (seconds since 1970).

    The lives of the points are not told: the restart that began one may be in the file of another day (`with_lives`).
    """

    series: tuple[Series, ...]
    restarts: tuple[float, ...]


def read_sadf(text: str) -> RecordedDay:
    """What one file holds; ValueError for what is no output of `sadf -j`. Lines that say nothing are left out."""
    try:
        hosts = msgspec.json.decode(text)["sysstat"]["hosts"]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ValueError("what sadf prints of it cannot be read") from error
    points: dict[str, list[Observation]] = {}
    restarts: set[float] = set()
    for host in _dicts(hosts):
        restarts |= set(filter(None, map(_time, _stamps(host.get("restarts"), "boot"))))
        for line in _dicts(host.get("statistics")):
            at = _time(line.get("timestamp"))
            if at is None:
                continue
            for word, value in _memory(line.get("memory")):
                points.setdefault(word, []).append(Observation(at, value * KIB))
    series = tuple(Series(*_named(word), tuple(sorted(points[word], key=_at))) for word in points)
    return RecordedDay(series, tuple(sorted(restarts)))


def said_of(file: str, text: str) -> str:
    """What sadf said of a file that it could not print, in one line; empty where it said nothing."""
    lines = (line.replace(file, "").strip(" :.") for line in text.splitlines())
    return "; ".join(line for line in lines if line)


def with_lives(points: Iterable[Observation], restarts: Iterable[float]) -> tuple[Observation, ...]:
    """The points of all days in the order of time, each in the life that the last restart before it began."""
    begun = sorted(restarts)
    return tuple(
        structs.replace(point, life=f"since {([0.0, *begun][bisect_right(begun, point.at)]):.0f}")
        for point in sorted(points, key=_at)
    )


def _named(word: str) -> tuple[Kind, str, str]:
    kind, figure = FIGURES[word]
    return kind, "", figure


def _memory(said: Any) -> Iterator[tuple[str, float]]:
    for word in FIGURES:
        value = said.get(word) if isinstance(said, dict) else None
        if isinstance(value, int | float) and 0 <= value < 1 << 53:
            yield word, float(value)


def _time(stamp: Any) -> float | None:
    """Seconds since 1970 of a stamp in UTC; times of another zone have no offset, and are left out."""
    if not isinstance(stamp, dict) or stamp.get("utc") in (0, False) or stamp.get("tz", "UTC") != "UTC":
        return None
    try:
        read = datetime.strptime(f"{stamp['date']} {stamp['time']}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return None
    return read.timestamp()


def _stamps(lines: Any, key: str) -> Iterator[Any]:
    """The stamps of restarts: `{"boot": {"date": …}}`, in some versions without a key around it."""
    return (one.get(key, one) for one in _dicts(lines))


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _at(point: Observation) -> float:
    return point.at
