"""Kernel objects (slab): how much RAM they hold, which caches hold most, and how much the kernel can take back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from msgspec import Struct

from memrunbook.core.reading.fact import Answer, Cut, Doc, Fact, Read, Reading, Samples, Unavailable, Whole
from memrunbook.core.reading.figures import Figure, Holders
from memrunbook.core.units import Unit, format_bytes
from memrunbook.facts.host import page_size
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.growth import rising, thinned
from memrunbook.facts.shared.leaking import CACHE_BYTES, Leaks, leaking_slab
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, FieldValues, Readings, latest, split

SLABINFO = "/proc/slabinfo"
DENTRY_STATE = "/proc/sys/fs/dentry-state"
MOST_CACHES = 10
FIRST_WITH_NEGATIVE = 5
"""The major version of the kernel that counts negative dentries; in older ones a 0 stands in that place."""
NOT_COUNTED = Unavailable("absent", "kernels before 5.0 do not count negative dentries")
IN_PAGES = ("caches", "dentry_inode_bytes", "dentry_inode_percent")
FIELDS = 5

_KEPT_INODES = "shmem|mqueue|hugetlbfs|lsm|jbd2"
NAMES = re.compile(rf"dentry|kmalloc-rcl-.*|(?!{_KEPT_INODES})\w*inode(_cache)?")
"""Dentries, their long names (in caches of their own since 4.20) and the inodes that go with them."""
RECLAIMABLE = re.compile(rf"{NAMES.pattern}|radix_tree_node|buffer_head|(ext4_)?extent_status|xfs_(buf|ili)")
KEPT = re.compile(
    rf"(dma-)?kmalloc-(?!rcl-).*|({_KEPT_INODES})_inode(_cache)?|task_struct|vm_area_struct|filp|kernfs_\w+"
)
"""SLUB merges caches only with others that are given back as they are, or kept as they are."""

ROW = re.compile(
    r"""([!"$-9;-~][!-9;-~]{0,99})\ +(\d{1,18})\ +(\d{1,18})\ +(\d{1,18})\ +\d{1,18}\ +(\d{1,18})\ *"""
    r":[ -9;-~]*:\ slabdata\ +\d{1,18}\ +(\d{1,18})(?:\ |\Z)",
    re.ASCII | re.VERBOSE,
)
"""A line as the kernel writes them; what else may be one is read by its parts, which takes five times as long."""
COUNTS = 5
"""Numbers behind a name: objects in use, objects, size of one, objects a slab, pages a slab."""
SLABS = 2
"""Numbers behind `slabdata`: slabs in use, slabs."""
LONGEST_NAME = 100


class _Row(NamedTuple):
    name: str
    bytes: int
    active: int
    objects: int
    size: int


class SlabCache(Struct, frozen=True):
    """One cache of kernel objects of one size; like ones are merged, so a name may stand for several."""

    name: Annotated[str, Doc("name of the cache", source=SLABINFO)]
    bytes: Annotated[int, Doc("RAM of its slabs", Unit.BYTES, f"{SLABINFO} num_slabs x pagesperslab")]
    active_objects: Annotated[int, Doc("objects in use", Unit.COUNT, f"{SLABINFO} active_objs")]
    objects: Annotated[int, Doc("objects that there is room for", Unit.COUNT, f"{SLABINFO} num_objs")]
    object_bytes: Annotated[int, Doc("size of an object", Unit.BYTES, f"{SLABINFO} objsize")]
    use_percent: Annotated[
        float | None, Doc("objects in use, low: fragmented inside", Unit.PERCENT, "active_objs / num_objs")
    ]
    reclaimable: Annotated[bool | None, Doc("given back on demand; None: not known by its name", source=SLABINFO)]


class SlabReading(Reading, frozen=True, kw_only=True):
    """Slab memory; percentages are of RAM unless said."""

    total_bytes: Annotated[int, Doc("all kernel objects", Unit.BYTES, "/proc/meminfo Slab")]
    reclaimable_bytes: Annotated[
        int | None, Doc("mostly dentries and inodes: given back on demand", Unit.BYTES, "/proc/meminfo SReclaimable")
    ] = None
    reclaimable_percent: Annotated[
        float | None, Doc("reclaimable share of RAM", Unit.PERCENT, "SReclaimable / MemTotal")
    ] = None
    unreclaimable_bytes: Annotated[
        int | None, Doc("never given back while in use", Unit.BYTES, "/proc/meminfo SUnreclaim")
    ] = None
    unreclaimable_percent: Annotated[
        float | None, Doc("unreclaimable share of RAM", Unit.PERCENT, "SUnreclaim / MemTotal")
    ] = None
    growth_bytes_per_second: Annotated[
        int | None,
        Doc("growth of the unreclaimable part over the samples", Unit.BYTES_PER_SECOND, "/proc/meminfo SUnreclaim"),
    ] = None
    growing: Annotated[
        bool,
        Doc(
            "that grew in every interval (watched: by its trend), over 1 MiB/s or 1 % of RAM a minute",
            source="/proc/meminfo SUnreclaim",
        ),
    ] = False
    leaking: Leaks = None
    caches: Annotated[list[SlabCache] | None, Doc("the ten largest caches, largest first (root)", source=SLABINFO)] = (
        None
    )
    dentry_inode_bytes: Annotated[
        int | None, Doc("dentries, their long names and inodes (root)", Unit.BYTES, f"{SLABINFO} dentry, *inode_cache")
    ] = None
    dentry_inode_percent: Annotated[
        float | None, Doc("these, of the reclaimable slab memory", Unit.PERCENT, f"{SLABINFO} / SReclaimable")
    ] = None
    dentries: Annotated[int | None, Doc("names of files in memory", Unit.COUNT, "fs.dentry-state field 1")] = None
    unused_dentries: Annotated[int | None, Doc("of these, not in use", Unit.COUNT, "fs.dentry-state field 2")] = None
    negative_dentries: Annotated[
        int | None, Doc("of these, names of files that do not exist", Unit.COUNT, "fs.dentry-state field 5 (5.0)")
    ] = None
    mappings: Annotated[
        int | None, Doc("memory mappings of all processes (root)", Unit.COUNT, f"{SLABINFO} vm_area_struct")
    ] = None


def parse(samples: Samples, readings: Readings) -> SlabReading | Unavailable:
    """Reads the totals of meminfo, and what needs root or a recent kernel beside them."""
    answer = latest(samples, MEMINFO)
    if answer.problem:
        return answer.problem
    info = numbers.keyed(answer.text)
    if "Slab" not in info:
        return Unavailable("absent", f"{MEMINFO} holds no Slab")
    total, kept = info.get("MemTotal"), info.get("SUnreclaim")
    reclaimable = info.get("SReclaimable")
    page_bytes = page_size(readings)
    found = sorted(_rows(latest(samples, SLABINFO).text, page_bytes or 0), key=lambda row: row.bytes, reverse=True)
    values, gaps = split(
        {
            **_cached(latest(samples, SLABINFO), found, page_bytes, reclaimable),
            **_dentries(latest(samples, DENTRY_STATE), getattr(readings.get("host"), "kernel", None)),
        }
    )
    return SlabReading(
        total_bytes=info["Slab"],
        reclaimable_bytes=reclaimable,
        reclaimable_percent=numbers.share(reclaimable, total),
        unreclaimable_bytes=kept,
        unreclaimable_percent=numbers.share(kept, total),
        unavailable=gaps,
        cut={} if page_bytes is None else _cut(found),
        **rising([(one.before, _kept(one.text(MEMINFO))) for one in thinned(samples)], total),
        **values,
    )


def _kept(meminfo: str | None) -> int | None:
    return numbers.keyed(meminfo or "").get("SUnreclaim")


def _cut(found: list[_Row]) -> dict[str, Cut]:
    rest = found[MOST_CACHES:]
    why = f"{len(rest)} smaller caches are not in the list, of {format_bytes(rest[0].bytes)} at most" if rest else ""
    return {"caches": Cut(why, {"bytes": rest[0].bytes + 1.0})} if rest else {}


def _cached(answer: Answer, found: list[_Row], page_bytes: int | None, reclaimable: int | None) -> FieldValues:
    """What slabinfo says; without the size of a page only what is counted."""
    if not found or page_bytes is None:
        nothing = answer.problem or Unavailable("failed", f"{SLABINFO} holds no cache")
        values: FieldValues = dict.fromkeys(IN_PAGES, NO_PAGE_SIZE if found else nothing)
        return {**values, "mappings": _mappings(found) if found else nothing}
    names = min(sum(row.bytes for row in found if _holds_names(row.name)), numbers.MOST)
    return {
        "caches": [_cache(row) for row in found[:MOST_CACHES]],
        "dentry_inode_bytes": names,
        "dentry_inode_percent": numbers.share(names, reclaimable),
        "mappings": _mappings(found),
    }


def sizes(slabinfo: str, page_bytes: int) -> dict[str, int]:
    """The RAM of every cache in bytes, by its name."""
    return {row.name: row.bytes for row in _rows(slabinfo, page_bytes)}


def _rows(text: str, page_bytes: int) -> Iterator[_Row]:
    """`NAME ACTIVE OBJECTS SIZE PERSLAB PAGES : tunables … : slabdata SLABS_IN_USE SLABS …`."""
    for line in text.split("\n"):
        found = ROW.match(line)
        if found is None:
            yield from _odd_row(line, page_bytes)
            continue
        name, active, objects, size, pages, slabs = found.groups()
        size_in_all = min(int(slabs) * int(pages) * page_bytes, numbers.MOST)
        yield _Row(name, size_in_all, int(active), int(objects), int(size))


def _odd_row(line: str, page_bytes: int) -> Iterator[_Row]:
    front, _, behind = line.partition(":")
    name, *words = front.rsplit(None, COUNTS) or ("",)
    words += behind.partition(":")[2].split()[: 1 + SLABS]
    if len(words) == COUNTS + 1 + SLABS and words.pop(COUNTS) == "slabdata" and _names_a_cache(name):
        match [numbers.whole(word) for word in words]:
            case [int(active), int(objects), int(size), int(), int(pages), int(), int(slabs)]:
                yield _Row(name, min(slabs * pages * page_bytes, numbers.MOST), active, objects, size)


def _holds_names(name: str) -> bool:
    return ("inode" in name or name.startswith(("dentry", "kmalloc"))) and NAMES.fullmatch(name) is not None


def _names_a_cache(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and not name[0].isspace() and name[0] != "#"


def _cache(row: _Row) -> SlabCache:
    return SlabCache(
        name=row.name,
        bytes=row.bytes,
        active_objects=row.active,
        objects=row.objects,
        object_bytes=row.size,
        use_percent=numbers.share(row.active, row.objects),
        reclaimable=True if RECLAIMABLE.fullmatch(row.name) else False if KEPT.fullmatch(row.name) else None,
    )


def _mappings(rows: list[_Row]) -> int | None:
    return next((row.active for row in rows if row.name == "vm_area_struct"), None)


def _dentries(answer: Answer, kernel: object) -> FieldValues:
    """fs.dentry-state: dentries, unused ones, two settings, negative ones."""
    counts = [numbers.whole(word) for word in answer.text.split()]
    if len(counts) < FIELDS:
        why = answer.problem or Unavailable("failed", f"{DENTRY_STATE} holds no counts")
        return dict.fromkeys(("dentries", "unused_dentries", "negative_dentries"), why)
    major = numbers.whole(str(kernel).partition(".")[0])
    counted = counts[4] or (major is not None and major >= FIRST_WITH_NEGATIVE)
    return {
        "dentries": counts[0],
        "unused_dentries": counts[1],
        "negative_dentries": counts[4] if counted else NOT_COUNTED,
    }


FACT = Fact(
    reading=SlabReading,
    recall=leaking_slab,
    parse=parse,
    asks=(Read(MEMINFO, each=True), Whole(SLABINFO), Whole(DENTRY_STATE)),
    needs=("host",),
    meaning="memory of kernel objects",
    history=(
        Figure("unreclaimable_bytes", kind="kernel"),
        Figure("reclaimable_bytes", kind="kernel"),
        Holders("kernel", "caches", {CACHE_BYTES: ("bytes",)}, most=MOST_CACHES),
    ),
)
