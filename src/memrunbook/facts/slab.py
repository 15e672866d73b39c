"""Kernel objects (slab): how much RAM they hold, which caches hold most, and how much the kernel can take back."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Answer, Doc, Fact, Read, Reading, Samples, Unavailable, Whole
from memrunbook.core.units import Unit
from memrunbook.facts.host import page_size
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import NO_PAGE_SIZE, Readings, Values, latest, split

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

# Name, objects in use, objects, object size and pages a slab; behind the tunables the number of slabs.
_ROW = re.compile(
    r"^([^\s#][^:\n]{0,99}?)[ \t]+(\d{1,19})[ \t]+(\d{1,19})[ \t]+(\d{1,19})[ \t]+\d{1,19}[ \t]+(\d{1,19})[ \t]+:"
    r"[^:\n]*:[ \t]+slabdata[ \t]+\d{1,19}[ \t]+(\d{1,19})\b",
    re.MULTILINE | re.ASCII,
)


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
    values, gaps = split(
        {
            **_cached(latest(samples, SLABINFO), page_size(readings), reclaimable),
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
        **values,
    )


def _cached(answer: Answer, page_bytes: int | None, reclaimable: int | None) -> Values:
    """What slabinfo says; without the size of a page only what is counted."""
    rows = [(name, [numbers.whole(word) for word in words]) for name, *words in _ROW.findall(answer.text)]
    caches = [_cache(name, words, page_bytes or 0) for name, words in rows]
    found = sorted((cache for cache in caches if cache), key=lambda cache: cache.bytes, reverse=True)
    if not found or page_bytes is None:
        nothing = answer.problem or Unavailable("failed", f"{SLABINFO} holds no cache")
        values: Values = dict.fromkeys(IN_PAGES, NO_PAGE_SIZE if found else nothing)
        return {**values, "mappings": _mappings(found) if found else nothing}
    names = min(sum(cache.bytes for cache in found if NAMES.fullmatch(cache.name)), numbers.MOST)
    return {
        "caches": found[:MOST_CACHES],
        "dentry_inode_bytes": names,
        "dentry_inode_percent": numbers.share(names, reclaimable),
        "mappings": _mappings(found),
    }


def _cache(name: str, words: list[int | None], page_bytes: int) -> SlabCache | None:
    match words:
        case [int(active), int(objects), int(size), int(pages), int(slabs)]:
            return SlabCache(
                name=name,
                bytes=min(slabs * pages * page_bytes, numbers.MOST),
                active_objects=active,
                objects=objects,
                object_bytes=size,
                use_percent=numbers.share(active, objects),
                reclaimable=True if RECLAIMABLE.fullmatch(name) else False if KEPT.fullmatch(name) else None,
            )
    return None


def _mappings(caches: list[SlabCache]) -> int | None:
    return next((cache.active_objects for cache in caches if cache.name == "vm_area_struct"), None)


def _dentries(answer: Answer, kernel: object) -> Values:
    """fs.dentry-state: dentries, unused ones, two settings, negative ones."""
    counts = [numbers.whole(word) for word in answer.text.split()]
    if len(counts) < FIELDS:
        why = answer.problem or Unavailable("failed", f"{DENTRY_STATE} holds no counts")
        return dict.fromkeys(("dentries", "unused_dentries", "negative_dentries"), why)
    major = re.match(r"\d{1,4}", str(kernel), re.ASCII)
    counted = counts[4] or (major and int(major[0]) >= FIRST_WITH_NEGATIVE)
    return {
        "dentries": counts[0],
        "unused_dentries": counts[1],
        "negative_dentries": counts[4] if counted else NOT_COUNTED,
    }


FACT = Fact(
    reading=SlabReading,
    parse=parse,
    asks=(Read(MEMINFO, each=True), Whole(SLABINFO), Whole(DENTRY_STATE)),
    needs=("host",),
    meaning="memory of kernel objects",
)
