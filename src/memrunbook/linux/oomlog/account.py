"""All that is said of one out-of-memory event, as plain data: the page, the JSON and the fact `oom` say the same."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit

LOG = "kernel log"
Text = Annotated[str, Doc("in words", source=LOG)]


class OomKilled(Struct, frozen=True, kw_only=True):
    """A killed process with what it held; None where this kernel does not print it."""

    name: Annotated[str, Doc("its name, 15 bytes at most", source=LOG)]
    pid: Annotated[int, Doc("its pid", source=LOG)]
    uid: Annotated[int | None, Doc("whose it was", source=LOG)] = None
    anonymous_bytes: Annotated[int | None, Doc("anonymous memory", Unit.BYTES, "anon-rss")] = None
    file_bytes: Annotated[int | None, Doc("file pages", Unit.BYTES, "file-rss")] = None
    shared_bytes: Annotated[int | None, Doc("shared memory", Unit.BYTES, "shmem-rss")] = None
    held_bytes: Annotated[int | None, Doc("all that it held, where no parts are told", Unit.BYTES, LOG)] = None
    swap_bytes: Annotated[int | None, Doc("its memory in swap, where no parts are told", Unit.BYTES, LOG)] = None
    oom_score_adj: Annotated[int | None, Doc("its adjustment", source=LOG)] = None


class OomHolder(Struct, frozen=True, kw_only=True):
    """A process of the table, or all of one name together (`count`); the pid is that of one process alone."""

    name: Annotated[str, Doc("its name", source="task table")]
    pid: Annotated[int | None, Doc("its pid", source="task table")] = None
    count: Annotated[int, Doc("processes of that name", Unit.COUNT, "task table")] = 1
    memory_bytes: Annotated[int, Doc("memory", Unit.BYTES, "task table")] = 0
    swap_bytes: Annotated[int, Doc("swap; of many it is in the memory", Unit.BYTES, "task table")] = 0
    largest_bytes: Annotated[int | None, Doc("what the largest of many holds", Unit.BYTES, "task table")] = None
    oom_score_adj: Annotated[int | None, Doc("its adjustment", source="task table")] = None


class OomPlace(Struct, frozen=True, kw_only=True):
    """A place where memory sat."""

    name: Annotated[str, Doc("free, anonymous, page cache, slab and so on", source="Mem-Info")]
    size_bytes: Annotated[int, Doc("how much", Unit.BYTES, "Mem-Info")]
    detail: Annotated[str, Doc("who holds most of it", source="task table, slab info")] = ""


class OomLimit(Struct, frozen=True, kw_only=True):
    """The control group whose limit was hit, and whose that is: its own, an ancestor's, the node's, a slice's."""

    group: Annotated[str, Doc("its path", source="oom_memcg")] = ""
    owner: Annotated[
        str, Doc("own pod container ancestor slice node-allocatable quality-of-service", source="oom_memcg")
    ] = "own"
    used_bytes: Annotated[int | None, Doc("what it used", Unit.BYTES, "memory: usage")] = None
    limit_bytes: Annotated[int | None, Doc("its limit; None for none", Unit.BYTES, "memory: limit")] = None
    says: Text = ""


class OomAccount(Struct, frozen=True, kw_only=True):
    """One event in full; what the log does not tell is empty, None or 0."""

    class_: Annotated[str, Doc("class of the event", source=LOG)] = msgspec.field(name="class")
    meaning: Annotated[str, Doc("what the class means for this event", source=LOG)] = ""
    inferred: Annotated[bool, Doc("this kernel does not print the constraint", source=LOG)] = False
    age_seconds: Annotated[float | None, Doc("since then", Unit.SECONDS, "kernel log, /proc/uptime")] = None
    short: Annotated[str, Doc("short fragmented not-short unknown, of the zones it might use", source="zones")] = (
        "unknown"
    )
    zone: Annotated[str, Doc("the zone that decided", source="zones")] = ""
    zone_says: Annotated[str, Doc("what was free there and what must be", source="zones")] = ""
    fate: Annotated[str, Doc("killed reaped chosen, or empty for nobody", source=LOG)] = ""
    killed: Annotated[tuple[OomKilled, ...], Doc("the victims, at most five", source=LOG)] = ()
    more_killed: Annotated[int, Doc("victims beside those", Unit.COUNT, LOG)] = 0
    together: Annotated[bool, Doc("all of their group die with them", source="memory.oom.group")] = False
    unit: Annotated[str, Doc("the victim's unit", source="task_memcg")] = ""
    container: Annotated[str, Doc("the victim's container or pod", source="task_memcg")] = ""
    pod: Annotated[str, Doc("the pod by namespace and name, where a line near names it", source="kubelet")] = ""
    whose: Annotated[str, Doc("the container or unit as people call it", source="task_memcg")] = ""
    group: Annotated[str, Doc("the victim's control group", source="task_memcg")] = ""
    asked_by: Annotated[str, Doc("who asked for memory, and for what; not the victim", source="oom-killer")] = ""
    limit: Annotated[tuple[OomLimit, ...], Doc("the limit that was hit: none or one", source="oom_memcg")] = ()
    why: Annotated[str, Doc("why the victim and nobody else", source="task table")] = ""
    hog: Annotated[
        tuple[OomHolder, ...], Doc("who held most where that is not the victim: none or one", source="task table")
    ] = ()
    hog_protected: Annotated[bool, Doc("the hog's oom_score_adj is below 0", source="task table")] = False
    following: Annotated[tuple[OomHolder, ...], Doc("who would be killed next: none or one", source="task table")] = ()
    total_bytes: Annotated[int | None, Doc("RAM; of a group, its usage", Unit.BYTES, "Mem-Info")] = None
    of_group: Annotated[bool, Doc("the places are those of the limit's group", source="memory.stat")] = False
    places: Annotated[tuple[OomPlace, ...], Doc("where the memory sat, most first", source="Mem-Info")] = ()
    swap_free_bytes: Annotated[int | None, Doc("free swap", Unit.BYTES, "Free swap")] = None
    swap_total_bytes: Annotated[int | None, Doc("swap", Unit.BYTES, "Total swap")] = None
    hidden: Annotated[str, Doc("memory that no process holds, where that is much", source="Mem-Info")] = ""
    helps: Annotated[tuple[str, ...], Doc("what may help", source=LOG)] = ()
    useless: Annotated[tuple[str, ...], Doc("what cannot", source=LOG)] = ()
    reason: Annotated[str, Doc("the killer's own words", source=LOG)] = ""
    missing: Annotated[tuple[str, ...], Doc("what such a log has and this one lacks", source=LOG)] = ()
