"""Shared memory of System V: the largest segments, and those that nobody is attached to any more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Cut, Doc, Fact, Read, Reading, Samples, Unavailable, Walk
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings

SEGMENTS = "/proc/sysvipc/shm"
BOOT = "shm"
MOST_SHOWN = 20
COLUMNS = ("key", "shmid", "size", "cpid", "nattch", "uid", "atime", "dtime", "ctime", "rss", "swap")
NEWEST = ("rss", "swap")
"""The columns that kernels before 2.6.36 do not have."""
NEWEST_FIELDS = ("rss_bytes", "swap_bytes")
UNSIGNED = 0xFFFFFFFF

# The clock of the host is its boot time and its uptime; without a segment nobody asks how old one is.
SCRIPT = f"""\
s_count=0
{{ while read -r s_key s_rest; do s_count=$((s_count + 1)); [ "$s_count" = 2 ] && break; done; }} <{SEGMENTS}
[ "$s_count" = 2 ] || return 0
{{ while read -r s_key s_value s_rest; do
    case $s_key in btime) printf 'btime %s\\n' "$s_value"; break ;; esac
  done; }} </proc/stat
"""


class Segment(Struct, frozen=True, kw_only=True):
    """One segment of shared memory; `ipcrm -m ID` removes it."""

    id: Annotated[int, Doc("its id", source=f"{SEGMENTS} shmid")]
    key: Annotated[str, Doc("its key as ipcs shows it, 0x00000000 for a private one", source=f"{SEGMENTS} key")]
    size_bytes: Annotated[int, Doc("what it was made for", Unit.BYTES, f"{SEGMENTS} size")]
    rss_bytes: Annotated[int | None, Doc("of this, in RAM", Unit.BYTES, f"{SEGMENTS} rss")] = None
    swap_bytes: Annotated[int | None, Doc("of this, in swap", Unit.BYTES, f"{SEGMENTS} swap")] = None
    attached: Annotated[int, Doc("processes attached to it", Unit.COUNT, f"{SEGMENTS} nattch")]
    creator_pid: Annotated[int, Doc("process that made it, may be gone", source=f"{SEGMENTS} cpid")]
    uid: Annotated[int, Doc("its owner", source=f"{SEGMENTS} uid")]
    age_seconds: Annotated[
        float | None,
        Doc("since it was last attached, detached or changed", Unit.SECONDS, f"{SEGMENTS} atime, dtime, ctime"),
    ] = None


class ShmReading(Reading, frozen=True, kw_only=True):
    """The segments that our login sees: those of containers are their own."""

    count: Annotated[int, Doc("segments", Unit.COUNT, SEGMENTS)]
    segments: Annotated[list[Segment], Doc("the 20 that hold most, largest first", source=SEGMENTS)]
    total_bytes: Annotated[int, Doc("what all were made for", Unit.BYTES, f"{SEGMENTS} size")]
    rss_bytes: Annotated[int | None, Doc("RAM that all hold", Unit.BYTES, f"{SEGMENTS} rss")] = None
    orphaned_count: Annotated[int, Doc("segments that nobody is attached to", Unit.COUNT, f"{SEGMENTS} nattch")]
    orphaned_bytes: Annotated[
        int | None, Doc("RAM and swap that these hold", Unit.BYTES, f"{SEGMENTS} rss + swap where nattch is 0")
    ] = None


def parse(samples: Samples, _readings: Readings) -> ShmReading | Unavailable:
    """Reads the table of segments; a kernel without System V memory is `absent`."""
    first = samples[0]
    answer = first.get(SEGMENTS)
    if answer.problem:
        return answer.problem
    header, *rows = answer.text.split("\n")
    if not set(COLUMNS) - set(NEWEST) <= set(header.split()):
        return Unavailable("failed", f"{SEGMENTS} is no table of segments")
    now = _now(first.text(BOOT) or "", first.before)
    read = (_segment(dict(zip(header.split(), row.split(), strict=False)), now) for row in rows)
    found = sorted((one for one in read if one), key=_held, reverse=True)
    orphaned = [one for one in found if not one.attached]
    return ShmReading(
        count=len(found),
        segments=found[:MOST_SHOWN],
        cut=_cut(found[MOST_SHOWN:]),
        total_bytes=min(sum(one.size_bytes for one in found), numbers.MOST),
        rss_bytes=_sum([one.rss_bytes for one in found]),
        orphaned_count=len(orphaned),
        orphaned_bytes=_sum([size for one in orphaned for size in (one.rss_bytes, one.swap_bytes)]),
    )


def _cut(rest: list[Segment]) -> dict[str, Cut]:
    """They come by what they hold; where the kernel does not tell that, by what they were made for."""
    if not rest:
        return {}
    (held, size), told = _held(rest[0]), all(one.rss_bytes is not None for one in rest)
    below = dict.fromkeys(NEWEST_FIELDS, held + 1.0) if told else {"size_bytes": size + 1.0}
    return {"segments": Cut(f"{len(rest)} smaller segments are not in the list", below)}


def _now(walk: str, uptime: float) -> float | None:
    """The host's own clock, in seconds since 1970."""
    found = re.fullmatch(r"btime (\d{1,12})\n", walk, re.ASCII)
    return int(found[1]) + uptime if found else None


def _segment(row: dict[str, str], now: float | None) -> Segment | None:
    """A line of the table by its columns; None where it is none, or cut short."""
    key = row.get("key", "")
    numbered = {name: numbers.whole(row.get(name, "")) for name in COLUMNS[1:]}
    missing = {name for name, value in numbered.items() if value is None}
    if missing - set(NEWEST) or not re.fullmatch(r"-?\d{1,10}", key, re.ASCII):
        return None
    known = {name: value or 0 for name, value in numbered.items()}
    used = max(known["atime"], known["dtime"], known["ctime"])
    return Segment(
        id=known["shmid"],
        key=f"0x{int(key) & UNSIGNED:08x}",
        size_bytes=known["size"],
        rss_bytes=numbered["rss"],
        swap_bytes=numbered["swap"],
        attached=known["nattch"],
        creator_pid=known["cpid"],
        uid=known["uid"],
        age_seconds=max(0.0, now - used) if now is not None else None,
    )


def _held(segment: Segment) -> tuple[int, int]:
    return (segment.rss_bytes or 0) + (segment.swap_bytes or 0), segment.size_bytes


def _sum(sizes: Iterable[int | None]) -> int | None:
    """The sum, None where a size is not known."""
    known = list(sizes)
    return None if None in known else min(sum(size or 0 for size in known), numbers.MOST)


FACT = Fact(
    reading=ShmReading,
    parse=parse,
    asks=(Read(SEGMENTS), Walk(BOOT, SCRIPT)),
    meaning="shared memory segments of System V",
)
