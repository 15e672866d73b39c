"""Caches of kernel objects that could not grow (SLUB, SLAB): which cache, and for whose control group."""

from __future__ import annotations

import re

from msgspec import Struct

from memrunbook.linux.attribution import SHORT_ID
from memrunbook.linux.oomlog.frame import KERNEL, LogLine

UNABLE = "SLUB: Unable to allocate", "SLAB: Unable to allocate"
_GFP = re.compile(r"gfp=(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?")
_CACHE = re.compile(r"\s*cache: (.{1,512}?), object size: (\d{1,12})\b")
_OF_GROUP = re.compile(r"(.+)\((\d{1,10}):(.*)\)$")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")


class CacheFailure(Struct, kw_only=True):
    """A cache that got no page for more objects; empty or None where the log does not say it.

    A cache of a control group (kernels before 5.9 keep one for each) is printed as `name(id:group)`: `group` is the
    last part of that group's path, `group_id` the kernel's number of it.
    """

    stamp: float | None = None
    date: str = ""
    mode: str = ""
    flags: str | None = None
    cache: str = ""
    object_bytes: int | None = None
    group_id: int | None = None
    group: str = ""

    @property
    def container(self) -> str:
        """The container's short id, where the group's name holds one."""
        found = _CONTAINER.search(self.group)
        return found[0][:SHORT_ID] if found else ""

    @property
    def label(self) -> str:
        """The cache, and the control group that it is kept for."""
        if not self.group and self.group_id is None:
            return self.cache
        owner = f"container {self.container}" if self.container else self.group or "no name"
        return f"{self.cache} of {owner} (group {self.group_id})"


class CacheLine(Struct, frozen=True):
    """The line that names the cache of a failure that was told just before."""

    cache: str
    object_bytes: int
    group_id: int | None
    group: str


def failure(line: LogLine) -> CacheFailure | None:
    """A cache of the kernel could not grow."""
    if line.program != KERNEL or not line.text.startswith(UNABLE):
        return None
    gfp = _GFP.search(line.text)
    return CacheFailure(stamp=line.stamp, date=line.date, mode=gfp[1] if gfp else "", flags=gfp[2] if gfp else None)


def named(line: LogLine) -> CacheLine | None:
    """Which one it was: the line below."""
    found = _CACHE.match(line.text) if line.program == KERNEL else None
    if found is None:
        return None
    of_group = _OF_GROUP.match(found[1])
    if of_group is None:
        return CacheLine(found[1], int(found[2]), None, "")
    return CacheLine(of_group[1], int(found[2]), int(of_group[2]), of_group[3])
