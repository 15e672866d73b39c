"""Control groups: what each holds, its limits, how often it hits them, and which of them are pressed.

Who is asked what stands in shared/group_walk.py: usage and limits of every group, the rest of those that matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Struct

from memrunbook.core.reading.fact import Detail, Doc, Fact, Read, Reading, Sample, Samples, Unavailable, Walk
from memrunbook.core.reading.figures import Holders
from memrunbook.core.units import Unit
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.group import ROOT, Group, Point, read_group
from memrunbook.facts.shared.group_cut import group_cut, pressed_cut
from memrunbook.facts.shared.group_walk import AGAIN, ITEMS, MOST_SEEN, MOST_SHOWN, PROGRAM, SCRIPT
from memrunbook.facts.shared.leaking import Leaks, leaking_groups
from memrunbook.facts.shared.sampling import ONE_SAMPLE, Readings, latest

WALK, DETAIL = "cgroups", "cgroup-details"
NEAR_PERCENT = 90.0
STALLED_PERCENT = 10.0
STAT = f"{ROOT}/cgroup.stat"
DYING = ("nr_dying_subsys_memory", "nr_dying_descendants")
"""Of newer kernels and of older ones; groups that are dying for another reason are few."""
HELD_PERCENT = 80.0
RESTORED_PER_SECOND = 10.0
"""File cache that can go does not press: either so much of the limit is held by something else, or so many file pages
in use are read again. Streaming through a file at a limit hits it all the time, and shows as a stall."""
WHOLE = "limit"
"""The word that a walk prints of every group, and a later one of none."""
MOVING = ("restored", "oom_kill")
"""Counters that later walks repeat only of groups where they matter."""
MOST_REMEMBERED = 15
"""Containers, and other groups that are no services, of which the history keeps points at a reading: the largest."""
HELD_FIGURES = {
    "own_bytes": ("anonymous_bytes", "swap_bytes", "unreclaimable_slab_bytes"),
    "usage_bytes": ("usage_bytes",),
}
NO_GROUPS = Unavailable("absent", "this host has no control groups that count memory")
SWITCHED_OFF = Unavailable("absent", "control groups do not count memory here: cgroup_disable=memory, or not delegated")


class CgroupsReading(Reading, frozen=True, kw_only=True):
    """Groups that matter: near a limit first, then limited, containers and slices, others of 1 MiB and 0.1 % of RAM."""

    version: Annotated[int, Doc("control groups that count memory: 2 or 1", source=ROOT)]
    seen: Annotated[int, Doc(f"groups found, at most six levels deep and {MOST_SEEN}", Unit.COUNT, ROOT)]
    shown: Annotated[int, Doc(f"of these, read; at most {MOST_SHOWN}", Unit.COUNT, ROOT)]
    all: Annotated[list[Group], Doc("the groups read, the largest first", source=ROOT)]
    pressed: Annotated[
        list[Group] | None,
        Doc(
            "90 % of a limit used, stalled 10 % of the time or hitting it, and not for file cache that can go;"
            " or 90 % of a limit of kernel memory that has refused some",
            source="memory.events, memory.pressure, memory.kmem.failcnt",
        ),
    ] = None
    leaking: Leaks = None
    most_pids_percent: Annotated[
        float,
        Doc(
            "processes of those that it may have, in the group read that is nearest to this limit; 0 without one",
            Unit.PERCENT,
            "pids.current / pids.max",
        ),
    ] = 0.0
    dying: Annotated[
        int | None, Doc("removed groups whose memory is still in use", Unit.COUNT, "cgroup.stat nr_dying_descendants")
    ] = None
    counts_dying: Annotated[bool, Doc("the kernel counts them (4.14, cgroup v2)", source=STAT)] = False


class _Walked(Struct, frozen=True):
    """What one walk printed, and the details of it: the lines of every group by its path.

    The details of a later walk are those of the whole walk before it.
    """

    time: float
    version: int | None
    controllers: list[str]
    small: int | None
    seen: int
    groups: dict[str, str]
    details: dict[str, str]


def parse(samples: Samples, readings: Readings) -> CgroupsReading | Unavailable:
    """Reads the groups of the newest walk: the newest of each value, and how far their counters rose over all walks."""
    answer = latest(samples, WALK)
    if answer.problem:
        return answer.problem
    walks = [_walked(sample, text) for sample in samples if (text := sample.text(WALK)) is not None]
    last = walks[-1]
    if last.version is None:
        return NO_GROUPS
    if not last.groups and last.version > 1 and "memory" not in last.controllers:
        return SWITCHED_OFF
    killed = getattr(readings.get("vmstat"), "oom_kills_in_sample", None) != 0
    stat = numbers.keyed(latest(samples, STAT).text)
    dying = next((stat[name] for name in DYING if name in stat), None)
    groups = [read_group(path, _points(path, walks, killed=killed)) for path in last.groups]
    seen, small = max(last.seen, len(groups)), next((walk.small for walk in walks if walk.small is not None), None)
    cuts = {"all": group_cut(groups, seen, last.version, small), "pressed": pressed_cut(groups)}
    return CgroupsReading(
        version=last.version,
        seen=seen,
        shown=len(groups),
        all=sorted(groups, key=lambda group: group.usage_bytes or 0, reverse=True),
        most_pids_percent=max(map(_pids_percent, groups), default=0.0),
        pressed=sorted(filter(_is_pressed, groups), key=_badness, reverse=True) if len(walks) > 1 else None,
        dying=dying,
        counts_dying=dying is not None,
        unavailable={} if len(walks) > 1 else {"pressed": ONE_SAMPLE},
        cut={name: cut for name, cut in cuts.items() if cut is not None},
    )


def _points(path: str, walks: Sequence[_Walked], *, killed: bool) -> list[Point]:
    """A group's first values and its newest. What a later walk left out did not move, but for two counters.

    Pages read again are counted by later walks for groups near a limit only, else the rate is unknown; kills for those
    with a limit, else there were none unless the whole host had one (`killed`).
    """
    seen = [walk for walk in walks if path in walk.groups]
    own = [_words(walk.groups[path]) for walk in seen]
    said = [{**_words(walk.details.get(path, "")), **words} for walk, words in zip(seen, own, strict=True)]
    if len(said) == 1:
        return [Point(seen[0].time, said[0])]
    first, newest = dict(said[0]), dict(said[0])
    for values in said[1:]:
        newest |= values
    for word in MOVING:
        if not all(word in words or WHOLE in words for words in (own[0], own[-1])):
            first.pop(word, None)
    if "oom_kill" not in first and "oom_kill" in newest and not killed:
        first["oom_kill"] = newest["oom_kill"]
    return [Point(seen[0].time, first), Point(seen[-1].time, newest)]


def _walked(sample: Sample, text: str) -> _Walked:
    head, *blocks = f"\n{text}".split("\ngroup ")
    heads = _words(head)
    seen = f"\n{text}".rpartition("\nseen ")[2].partition("\n")[0]
    version, _, controllers = heads.get("version", "").partition(" ")
    return _Walked(
        time=sample.before,
        version={"1": 1, "2": 2}.get(version),
        controllers=controllers.split(),
        small=numbers.whole(heads.get("small", "")),
        seen=numbers.whole(seen) or 0,
        groups=_by_path(blocks),
        details=_by_path(f"\n{sample.text(DETAIL) or ''}".split("\ngroup ")[1:]),
    )


def _by_path(blocks: Iterable[str]) -> dict[str, str]:
    """The lines of each group; the root of all has an empty path."""
    found: dict[str, str] = {}
    for block in blocks:
        path, _, lines = block.partition("\n")
        found[path or "/"] = lines
    return found


def _words(lines: str) -> dict[str, str]:
    """Lines by their first word; they come by the thousands."""
    return {word: rest for word, _, rest in [line.partition(" ") for line in lines.split("\n")]}


def _is_pressed(group: Group) -> bool:
    """At its limit with file cache that can go is healthy, however often it is hit: every page read hits it."""
    if (group.kernel_limit_percent or 0.0) >= NEAR_PERCENT and group.kernel_limit_failures:
        return True
    if (group.usage_percent or 0.0) < NEAR_PERCENT:
        return False
    stalled = (group.full_percent or 0.0) >= STALLED_PERCENT
    if (group.held_percent or 0.0) >= HELD_PERCENT:
        return stalled or _hits(group) > 0
    return stalled and (group.file_restores_per_second or 0.0) >= RESTORED_PER_SECOND


def _pids_percent(group: Group) -> float:
    return 100.0 * group.pids / group.pids_max if group.pids is not None and group.pids_max else 0.0


def _hits(group: Group) -> float:
    return (group.limit_hits_per_second or 0.0) + (group.high_hits_per_second or 0.0)


def _badness(group: Group) -> tuple[float, float, float]:
    return group.full_percent or 0.0, group.usage_percent or 0.0, _hits(group)


FACT = Fact(
    reading=CgroupsReading,
    recall=leaking_groups,
    parse=parse,
    asks=(Walk(WALK, SCRIPT, each=True, again=AGAIN), Read(STAT), Detail(DETAIL, ITEMS, PROGRAM)),
    needs=("vmstat",),
    meaning="control groups, their memory, limits and pressure",
    history=(
        Holders(
            "container",
            "all",
            HELD_FIGURES,
            name=("container",),
            life=("container",),
            limit="limit_bytes",
            most=MOST_REMEMBERED,
            only=("kind", frozenset({"container", "guest"})),
        ),
        Holders(
            "cgroup",
            "all",
            HELD_FIGURES,
            name=("path",),
            limit="limit_bytes",
            most=MOST_REMEMBERED,
            only=("kind", frozenset({"slice", "scope", "pod"})),
        ),
    ),
)
