"""Swap: how much there is, on what devices, and how fast pages go in and out."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable, Walk
from memrunbook.core.reading.figures import Figure
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, Rate, Readings, intervals, latest, split, whole_per_second
from memrunbook.facts.vmstat import VMSTAT
from memrunbook.linux.swap_size import recommended_swap

SWAPS = "/proc/swaps"
DISKS = "disks"
SCRIPT = """\
for disk in /sys/block/*; do
  [ -r "$disk/queue/rotational" ] || continue
  IFS= read -r line <"$disk/queue/rotational"
  number=
  [ -r "$disk/dev" ] && read -r number <"$disk/dev"
  printf '%s %s %s\\n' "$line" "${disk##*/}" "$number"
  for part in "$disk/${disk##*/}"*/partition; do
    [ -e "$part" ] || continue
    part=${part%/partition} number=
    [ -r "$part/dev" ] && read -r number <"$part/dev"
    printf '%s %s %s\\n' "$line" "${part##*/}" "$number"
  done
done
files=
while read -r name kind rest; do
  [ "$kind" = file ] && files="$files $name"
done </proc/swaps
[ -z "$files" ] || while read -r number rest number root point rest; do
  rest=${rest#*- }
  rest=${rest#* }
  [ "$point" = / ] && below= || below=$point
  for name in $files; do
    case $name in "$below"/*) printf 'mount %s %s %s\\n' "$number" "${rest%% *}" "$point" ;; esac
  done
done </proc/self/mountinfo"""
ROTATES = {"0": "no", "1": "yes"}
VIRTUAL_DISKS = ("vd", "xvd")
_ROW = re.compile(r"^(/\S*)\s+(partition|file)\s+(\d{1,15})\s+(\d{1,15})\s+(-?\d{1,9})\s*$", re.ASCII)


class SwapDevice(Struct, frozen=True):
    """One line of /proc/swaps."""

    name: Annotated[str, Doc("path of the device or file", source=SWAPS)]
    kind: Annotated[str, Doc("partition or file", source=SWAPS)]
    size_bytes: Annotated[int, Doc("its size", Unit.BYTES, SWAPS)]
    used_bytes: Annotated[int, Doc("of that, used", Unit.BYTES, SWAPS)]
    priority: Annotated[int, Doc("higher is used first, equal in turn, negative is automatic", source=SWAPS)]
    rotational: Annotated[
        str, Doc('its disk turns: "yes", "no" or "unknown" (virtual disks)', source="/sys/block/*/queue/rotational")
    ]
    zram: Annotated[bool, Doc("it is compressed RAM", source=SWAPS)]


class SwapReading(Reading, frozen=True, kw_only=True):
    """Swap in bytes; percentages are of the swap space, and missing where there is none."""

    total_bytes: Annotated[int, Doc("swap space", Unit.BYTES, "/proc/meminfo SwapTotal")]
    used_bytes: Annotated[int, Doc("swap space in use", Unit.BYTES, "SwapTotal - SwapFree")]
    free_bytes: Annotated[int, Doc("swap space left", Unit.BYTES, "/proc/meminfo SwapFree")]
    free_percent: Annotated[float | None, Doc("free share", Unit.PERCENT, "SwapFree / SwapTotal")] = None
    used_percent: Annotated[float | None, Doc("used share", Unit.PERCENT, "1 - SwapFree / SwapTotal")] = None
    cached_bytes: Annotated[int | None, Doc("in swap and in RAM at once", Unit.BYTES, "/proc/meminfo SwapCached")] = (
        None
    )
    in_bytes_per_second: Annotated[
        int | None, Doc("read from swap", Unit.BYTES_PER_SECOND, "/proc/vmstat pswpin", alias="si")
    ] = None
    out_bytes_per_second: Annotated[
        int | None, Doc("written to swap", Unit.BYTES_PER_SECOND, "/proc/vmstat pswpout", alias="so")
    ] = None
    in_bytes_per_second_min: Annotated[
        int | None, Doc("read from swap, the slowest interval", Unit.BYTES_PER_SECOND, "/proc/vmstat pswpin")
    ] = None
    out_bytes_per_second_min: Annotated[
        int | None, Doc("written to swap, the slowest interval", Unit.BYTES_PER_SECOND, "/proc/vmstat pswpout")
    ] = None
    recommended_bytes: Annotated[
        int | None,
        Doc(
            "the least that suits this much RAM", Unit.BYTES, "MemTotal: <= 2 GiB x 2, <= 8 GiB x 1, else 8 GiB or half"
        ),
    ] = None
    recommended_half_bytes: Annotated[
        int | None,
        Doc("the same, half of RAM above 8 GiB", Unit.BYTES, "MemTotal: <= 2 GiB x 2, <= 8 GiB x 1, else half"),
    ] = None
    recommended_max_bytes: Annotated[
        int | None, Doc("the same, the larger of the two", Unit.BYTES, "MemTotal: as above, else 8 GiB or half")
    ] = None
    zram_only: Annotated[bool, Doc("there is swap and all of it is zram", source=SWAPS)]
    devices: Annotated[list[SwapDevice], Doc("the devices", Unit.COUNT, SWAPS)]


def parse(samples: Samples, readings: Readings) -> SwapReading | Unavailable:
    """Reads the totals of meminfo, the devices of /proc/swaps and the rates of vmstat."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    total, free = info.get("SwapTotal"), info.get("SwapFree")
    if total is None or free is None:
        return Unavailable("failed", f"{MEMINFO} holds no SwapTotal or no SwapFree")
    used, ram = max(total - free, 0), info.get("MemTotal")
    devices = _devices(latest(samples, SWAPS).text, latest(samples, DISKS).text)
    rates, gaps = split(_rates(samples, page_size(readings)))
    if not total:
        gaps |= dict.fromkeys(("free_percent", "used_percent"), Unavailable("absent", "there is no swap"))
    return SwapReading(
        total_bytes=total,
        used_bytes=used,
        free_bytes=free,
        free_percent=numbers.share(free, total),
        used_percent=numbers.share(used, total),
        cached_bytes=info.get("SwapCached"),
        recommended_bytes=numbers.fits(recommended_swap(ram, "min")) if ram else None,
        recommended_half_bytes=numbers.fits(recommended_swap(ram, "half")) if ram else None,
        recommended_max_bytes=numbers.fits(recommended_swap(ram, "max")) if ram else None,
        zram_only=bool(devices) and all(device.zram for device in devices),
        devices=devices,
        unavailable=gaps,
        **rates,
    )


def _rates(samples: Samples, page: int | None) -> dict[str, int | Unavailable | None]:
    pairs = intervals(samples, VMSTAT)
    found: dict[str, int | Unavailable | None] = {}
    for name, counter in (("in", "pswpin"), ("out", "pswpout")):
        for suffix, lowest in (("", False), ("_min", True)):
            rate = Rate((counter,), page or 0, lowest)
            field = f"{name}_bytes_per_second{suffix}"
            found[field] = whole_per_second(pairs, rate) if page else NO_PAGE_SIZE
    return found


def _devices(swaps: str, disks: str) -> list[SwapDevice]:
    lines = [line.split(" ") for line in disks.split("\n")]
    rotates = {words[1]: words[0] for words in lines if words[0] in ROTATES and len(words) > 1}
    numbered = {words[2]: words[1] for words in lines if words[0] in ROTATES and len(words) > 2 and words[2]}  # noqa: PLR2004
    mounts = [words[1:] for words in lines if words[0] == "mount" and len(words) == 4]  # noqa: PLR2004  its words
    rows = [match.groups() for line in swaps.split("\n") if (match := _ROW.match(line))]
    return [
        SwapDevice(
            name=_unescaped(path),
            kind=kind,
            size_bytes=int(size) * numbers.KIB,
            used_bytes=int(used) * numbers.KIB,
            priority=int(priority),
            rotational=_rotational(
                path.removeprefix("/dev/") if kind == "partition" else _disk_below(path, mounts, numbered), rotates
            ),
            zram=path.startswith("/dev/zram"),
        )
        for path, kind, size, used, priority in rows
    ]


def _disk_below(path: str, mounts: list[list[str]], numbered: dict[str, str]) -> str:
    """The disk or partition of a swap file by the mount that it lies on; the innermost, of two the later one."""
    below = [
        (len(point), number, source) for number, source, point in mounts if path.startswith(f"{point.rstrip('/')}/")
    ]
    _, number, source = max(reversed(below), key=lambda one: one[0], default=(0, "", ""))
    return numbered.get(number, source.removeprefix("/dev/"))


def _rotational(disk: str, rotates: dict[str, str]) -> str:
    """A virtual disk says 1 whatever lies below it."""
    rotational = ROTATES.get(rotates.get(disk, ""), "unknown")
    return "unknown" if rotational == "yes" and disk.startswith(VIRTUAL_DISKS) else rotational


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-3][0-7]{2})", lambda octal: chr(int(octal[1], 8)), path, flags=re.ASCII)


FACT = Fact(
    reading=SwapReading,
    parse=parse,
    asks=(Read(MEMINFO, each=True), Read(VMSTAT, each=True), Read(SWAPS), Walk(DISKS, SCRIPT)),
    needs=("host",),
    meaning="swap space, its devices and traffic",
    history=(
        Figure("used_bytes", limit="total_bytes"),
        Figure("free_bytes", limit="total_bytes"),
        Figure("in_bytes_per_second"),
        Figure("out_bytes_per_second"),
    ),
)
