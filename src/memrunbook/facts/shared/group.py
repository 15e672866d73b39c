"""One control group: what it holds, its limits and its counters, from what a walk printed of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import Struct

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import LEAST_SECONDS
from memrunbook.linux.attribution import kind_of, owner_of, shown_name

ROOT = "/sys/fs/cgroup"
BYTES, PERCENT, PER_SECOND = Unit.BYTES, Unit.PERCENT, Unit.PER_SECOND
MICROSECONDS = 1e6
NO_LIMIT = 10**18
"""Limits of this size mean none: cgroup v1 writes the largest multiple of a page that fits 64 bits."""

HELD = {
    "anonymous_bytes": ("anon", "total_rss"),
    "file_bytes": ("file", "total_cache"),
    "shared_bytes": ("shmem", "total_shmem"),
    "unreclaimable_slab_bytes": ("slab_unreclaimable",),
    "swap_bytes": ("swap", "total_swap"),
}
"""Words of cgroup v2 and of v1; the first that is there counts."""
INACTIVE = ("inactive_file", "total_inactive_file")
DIRTY = ("file_dirty", "file_writeback", "total_dirty", "total_writeback")
COUNTED = ("max", "high", "restored", "oom_kill", "some", "full")
KERNEL = ("kernel_stack", "pagetables", "percpu", "slab_reclaimable", "slab_unreclaimable")
"""What `kernel` sums up, on kernels before 5.18, as far as they count it."""


class Group(Struct, frozen=True, kw_only=True):
    """One control group with all that is in it."""

    path: Annotated[str, Doc("its path", source=ROOT)]
    name: Annotated[str, Doc("the last part of its path, for people", source=ROOT)]
    kind: Annotated[str, Doc("service, scope, slice, container, pod, guest or other", source="its path")]
    unit: Annotated[str, Doc('the unit that it belongs to, "" for none', source="its path")]
    container: Annotated[str, Doc('the container or guest, "" for none', source="its path")]
    usage_bytes: Annotated[int | None, Doc("memory with its file cache", BYTES, "memory.current")] = None
    anonymous_bytes: Annotated[int | None, Doc("anonymous memory", BYTES, "memory.stat anon")] = None
    file_bytes: Annotated[int | None, Doc("file pages, shared memory too", BYTES, "memory.stat file")] = None
    shared_bytes: Annotated[int | None, Doc("tmpfs and shared memory", BYTES, "memory.stat shmem")] = None
    kernel_bytes: Annotated[
        int | None, Doc("what the kernel holds for it, buffers of sockets too", BYTES, "memory.stat kernel, sock")
    ] = None
    kernel_limit_bytes: Annotated[int | None, Doc("limit of that (cgroup v1)", BYTES, "memory.kmem.limit_in_bytes")] = (
        None
    )
    kernel_limit_percent: Annotated[
        float | None, Doc("kernel memory of its limit", PERCENT, "memory.kmem.usage_in_bytes / limit")
    ] = None
    kernel_limit_failures: Annotated[
        int | None, Doc("times this limit refused memory, ever", Unit.COUNT, "memory.kmem.failcnt")
    ] = None
    unreclaimable_slab_bytes: Annotated[
        int | None, Doc("kernel objects that cannot go", BYTES, "memory.stat slab_unreclaimable")
    ] = None
    dirty_bytes: Annotated[
        int | None, Doc("file pages to be written or being written", BYTES, "memory.stat file_dirty, file_writeback")
    ] = None
    working_set_bytes: Annotated[
        int | None, Doc("memory without the file cache that can go first", BYTES, "memory.current - inactive_file")
    ] = None
    swap_bytes: Annotated[int | None, Doc("swap", BYTES, "memory.swap.current")] = None
    limit_bytes: Annotated[int | None, Doc("its own hard limit", BYTES, "memory.max")] = None
    limit_set: Annotated[bool | None, Doc("it has a hard limit", source="memory.max")] = None
    high_bytes: Annotated[int | None, Doc("its own throttling limit", BYTES, "memory.high")] = None
    high_set: Annotated[bool | None, Doc("it has a throttling limit", source="memory.high")] = None
    swap_max_bytes: Annotated[int | None, Doc("its own limit of swap", BYTES, "memory.swap.max")] = None
    swap_max_set: Annotated[bool | None, Doc("it has a limit of swap", source="memory.swap.max")] = None
    usage_percent: Annotated[
        float | None, Doc("usage of its lower limit; missing without one", PERCENT, "memory.current / memory.max, high")
    ] = None
    working_set_percent: Annotated[
        float | None, Doc("working set of its lower limit", PERCENT, "memory.current - inactive_file")
    ] = None
    held_percent: Annotated[
        float | None,
        Doc(
            "what is no file cache of its lower limit", PERCENT, "memory.stat anon + shmem + kernel / memory.max, high"
        ),
    ] = None
    limit_hits_per_second: Annotated[
        float | None, Doc("times it hit its hard limit", PER_SECOND, "memory.events.local max, memory.failcnt")
    ] = None
    high_hits_per_second: Annotated[
        float | None, Doc("times it was throttled", PER_SECOND, "memory.events.local high")
    ] = None
    file_restores_per_second: Annotated[
        float | None,
        Doc("file pages in use that went and were read again", PER_SECOND, "memory.stat workingset_restore_file"),
    ] = None
    oom_kills: Annotated[int | None, Doc("processes killed in it", Unit.COUNT, "memory.events oom_kill (4.13+)")] = None
    oom_kills_in_sample: Annotated[
        int | None, Doc("of these, during our samples", Unit.COUNT, "memory.events oom_kill")
    ] = None
    some_percent: Annotated[
        float | None, Doc("time in which a task of it waited for memory", PERCENT, "memory.pressure some")
    ] = None
    full_percent: Annotated[
        float | None, Doc("time in which all of its tasks waited", PERCENT, "memory.pressure full")
    ] = None
    oom_group: Annotated[bool | None, Doc("the OOM killer ends it as a whole", source="memory.oom.group")] = None
    pids: Annotated[int | None, Doc("processes and threads in it", Unit.COUNT, "pids.current")] = None
    pids_max: Annotated[int | None, Doc("most it may have; missing without a limit", Unit.COUNT, "pids.max")] = None
    pids_max_set: Annotated[bool, Doc("it has a limit of processes", source="pids.max")] = False


class Point(NamedTuple):
    """What a walk printed of a group, word by word, and the host's uptime in seconds before it."""

    time: float
    values: dict[str, str]


def read_group(path: str, points: Sequence[Point]) -> Group:
    """A group from its points, at least one, the newest last; rates are over all of them."""
    said = points[-1].values
    known = numbers.wholes(said)
    usage, inactive = known.get("usage"), _first(known, INACTIVE)
    working_set = None if usage is None or inactive is None else max(usage - inactive, 0)
    limits = _limits(said)
    held: dict[str, Any] = {field: _first(known, words) for field, words in HELD.items()}
    least = min((limits[name] for name in ("limit_bytes", "high_bytes") if limits[name] is not None), default=None)
    kernel = _kernel(known)
    kernel_limit, _ = _limit(said.get("kernel_limit"))
    owner = owner_of(path)
    return Group(
        path=path,
        name=shown_name(path) or path,
        kind=kind_of(path, owner),
        unit=owner.unit,
        container=owner.container,
        usage_bytes=usage,
        **held,
        kernel_bytes=kernel,
        kernel_limit_bytes=kernel_limit,
        kernel_limit_percent=numbers.share(kernel, kernel_limit),
        kernel_limit_failures=known.get("kernel_failures"),
        dirty_bytes=_sum(known, DIRTY),
        working_set_bytes=working_set,
        **limits,
        usage_percent=numbers.share(usage, least),
        working_set_percent=numbers.share(working_set, least),
        held_percent=numbers.share(_held(held, kernel), least),
        oom_kills=known.get("oom_kill"),
        **_counted(points, known),
        oom_group={"0": False, "1": True}.get(said.get("oom_group", "")),
        pids=known.get("pids"),
        pids_max=known.get("pids_limit"),
        pids_max_set="pids_limit" in known,
    )


def _first(known: dict[str, int], words: Iterable[str]) -> int | None:
    return next((known[word] for word in words if word in known), None)


def _sum(known: dict[str, int], words: Iterable[str]) -> int | None:
    parts = [known[word] for word in words if word in known]
    return numbers.fits(sum(parts)) if parts else None


def _kernel(known: dict[str, int]) -> int | None:
    """The buffers of sockets are charged to a group, but stand beside what `kernel` sums up."""
    kernel = known.get("kernel", _sum(known, KERNEL))
    return None if kernel is None else numbers.fits(kernel + known.get("sock", 0))


def _held(held: dict[str, Any], kernel: int | None) -> int | None:
    """What stays when all file cache goes; None without the anonymous part, the others may be missing."""
    anonymous: int | None = held["anonymous_bytes"]
    return None if anonymous is None else numbers.fits(anonymous + (held["shared_bytes"] or 0) + (kernel or 0))


def _limits(said: dict[str, str]) -> dict[str, Any]:
    """The limits, and whether there are any; on cgroup v1 that of swap is what both may have, less that of memory."""
    limit, limit_set = _limit(said.get("limit"))
    high, high_set = _limit(said.get("high_limit"))
    swap, swap_set = _limit(said.get("swap_limit", said.get("memsw_limit")))
    if swap is not None and "memsw_limit" in said:
        swap = max(swap - (limit or 0), 0)
    return {
        "limit_bytes": limit,
        "limit_set": limit_set,
        "high_bytes": high,
        "high_set": high_set,
        "swap_max_bytes": swap,
        "swap_max_set": swap_set,
    }


def _limit(text: str | None) -> tuple[int | None, bool | None]:
    if text == "max":
        return None, False
    value = numbers.whole(text or "")
    if value is None:
        return None, None
    return (value, True) if value < NO_LIMIT else (None, False)


def _counted(points: Sequence[Point], known: dict[str, int]) -> dict[str, Any]:
    """How far the counters rose; nothing where one is missing, or went down because the group was made anew."""
    first, last = points[0], points[-1]
    seconds = last.time - first.time
    steps: dict[str, int] = {}
    for word in COUNTED if seconds >= LEAST_SECONDS else ():
        before, after = numbers.whole(first.values.get(word, "")), known.get(word)
        if before is not None and after is not None and after >= before:
            steps[word] = after - before
    speeds = {word: step / seconds for word, step in steps.items()}
    stalls = {word: min(100.0 * speeds[word] / MICROSECONDS, 100.0) for word in ("some", "full") if word in speeds}
    return {
        "limit_hits_per_second": speeds.get("max"),
        "high_hits_per_second": speeds.get("high"),
        "file_restores_per_second": speeds.get("restored"),
        "oom_kills_in_sample": steps.get("oom_kill"),
        "some_percent": stalls.get("some"),
        "full_percent": stalls.get("full"),
    }
