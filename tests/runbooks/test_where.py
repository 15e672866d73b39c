"""Who is named where the memory is not in a service, and whom nobody touches then."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import (
    ABSENT,
    IDLE_POOL,
    THRASHING,
    book,
    causes,
    planned,
    service,
    services,
    snapshot,
    states,
)
from tests.unit.actions.hosts import WORKER

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.units import GIB, MIB
from memrunbook.facts.cgroups import CgroupsReading
from memrunbook.facts.hugepages import HugepagePool
from memrunbook.facts.shared.group import Group
from memrunbook.facts.shared_memory import Holder, SharedMemoryReading
from memrunbook.facts.slab import SlabCache
from memrunbook.facts.slab_growth import GrowingCache
from memrunbook.facts.zram import ZramReading
from memrunbook.linux.places import Place

SHORT = {"memory.available_percent": 3.0, "memory.available_bytes": 900 * MIB, "vmstat.allocstalls_per_second": 9.0}
SWAP_FULL = {**SHORT, "swap.free_percent": 4.0, "swap.used_bytes": 7 * GIB}
WILLING = UnitPolicy(restart="yes", freeze="yes", stop="yes")
GROWER = service("api.service", 12 * GIB, 40 * MIB, policy=WILLING)


def foreign(balloon: int, uncounted: int) -> dict[str, Any]:
    """A host of 64 GiB with so many GiB in a balloon and in no counter."""
    held = [Place("balloon", balloon * GIB, 1.0), Place("in no counter", uncounted * GIB, 1.0)]
    return {
        "memory.foreign_bytes": (balloon + uncounted) * GIB,
        "memory.foreign_percent": 100.0 * (balloon + uncounted) / 64,
        "memory.unaccounted_bytes": uncounted * GIB,
        "memory.places": held,
    }


def cache(name: str, size: int, use: float | None = 99.0) -> SlabCache:
    return SlabCache(name, size, 10, 10, 2048, use, reclaimable=None)


def slab(gib: int, *found: SlabCache) -> dict[str, Any]:
    return {
        "slab.unreclaimable_bytes": gib * GIB,
        "slab.unreclaimable_percent": 100.0 * gib / 64,
        "slab.total_bytes": gib * GIB,
        "slab.caches": list(found),
    }


@pytest.mark.parametrize(
    ("balloon", "uncounted", "fires", "named"),
    [
        (30, 1, True, "balloon of the hypervisor"),
        (17, 0, True, "balloon of the hypervisor"),
        (0, 20, True, "memory in no counter (a driver or a balloon)"),
        (2, 19, True, "memory in no counter (a driver or a balloon)"),
        (1, 40, True, "memory in no counter (a driver or a balloon)"),
        (0, 2, False, "api.service"),
        (8, 4, False, "api.service"),
    ],
)
@pytest.mark.parametrize("name", ["memory-shortage", "swap-thrashing", "swap-exhausted"])
def test_what_a_balloon_or_a_driver_holds_is_the_cause_before_any_service(
    name: str, balloon: int, uncounted: int, named: str, *, fires: bool
) -> None:
    """Where the host is short even 12 GiB of 64 are told as the driver's, but a service may be the cause."""
    found = services(GROWER)
    if fires:
        found = {**found, "units.suspects": []}
    sick = {**THRASHING, **SWAP_FULL} if name == "swap-thrashing" else SWAP_FULL
    seen = snapshot(sick, found, foreign(balloon, uncounted))
    assert states(book(name), seen)["incident"] == "holds"
    if fires or name != "memory-shortage":
        assert causes(book(name), seen)[0] == named
    for step in ("freeze-hog", "freeze-swapper", "freeze-grower", "restart-hog", "restart-grower"):
        if step in {one.spec.id for one in book(name).steps} and fires:
            assert planned(book(name), seen, step).decision != "change", step


SHORT_OF_MEMORY = ("memory-shortage", "oom-event", "swap-exhausted", "swap-thrashing")
FELT = ("freeze_unit", "stop_unit", "restart_unit", "limit_unit")


@pytest.mark.parametrize("name", SHORT_OF_MEMORY)
def test_no_suspect_is_touched_where_a_driver_holds_the_memory(name: str) -> None:
    """Whoever is large or grows is not the cause then; what a victim of a limit needs is another matter."""
    steps = [one for one in book(name).steps if one.spec.action in FELT and one.for_each is not None]
    chosen = [one for one in steps if one.for_each is not None and "units.suspects" in one.for_each.source]
    assert chosen
    for step in chosen:
        assert any("a balloon or a driver" in guard.why for guard in step.guards), step.spec.id


def test_a_service_is_left_alone_by_a_guard_too() -> None:
    seen = snapshot({**THRASHING, **SWAP_FULL}, services(GROWER), foreign(30, 0))
    step = planned(book("swap-thrashing"), seen, "restart-grower")
    assert step.decision == "blocked"
    assert "a balloon or a driver holds the memory" in step.why


@pytest.mark.parametrize(
    ("percent", "others", "fires"),
    [
        (29.0, {}, True),
        (10.1, {}, True),
        (60.0, {"memory.shared_percent": 5.0}, True),
        (9.9, {}, False),
        (4.0, {}, False),
    ],
)
def test_page_tables_of_a_tenth_of_the_memory_are_told(percent: float, others: dict[str, Any], *, fires: bool) -> None:
    size = int(percent * 64 * GIB / 100)
    held = {"memory.page_tables_percent": percent, "memory.page_tables_bytes": size}
    seen = snapshot(held, {"memory.places": [Place("page tables", size, percent, kernel=True)]}, others)
    said = states(book("memory-shortage"), seen)
    assert (said["page-tables"] == "holds", said["incident"]) == (fires, "fails")
    assert causes(book("memory-shortage"), seen)[:1] == (["page tables"] if fires else [])


def test_the_service_whose_page_tables_they_are_is_named_and_not_restarted() -> None:
    database = service("postgresql.service", 25 * GIB, 40 * MIB, kernel_bytes=22 * GIB, policy=WILLING)
    held = {"memory.page_tables_percent": 33.0, "memory.page_tables_bytes": 21 * GIB}
    seen = snapshot(SHORT, held, services(database), {"units.kernel_holders": [database]})
    assert causes(book("memory-shortage"), seen)[0] == "page tables of postgresql.service"
    assert planned(book("memory-shortage"), seen, "restart-hog").decision == "blocked"


@pytest.mark.parametrize(
    ("gib", "found", "level", "named"),
    [
        (
            25,
            [cache("kmalloc-2048", 23 * GIB), cache("dentry", GIB)],
            "memory-shortage.not-ours",
            "slab cache kmalloc-2048",
        ),
        (40, [cache("bio-296", 30 * GIB)], "memory-shortage.not-ours", "slab cache bio-296"),
        (17, [cache("a", 5 * GIB), cache("b", 5 * GIB)], "memory-shortage.not-ours", "unreclaimable slab memory"),
        (8, [cache("kmalloc-64", 6 * GIB)], "preventive-maintenance.kernel-memory", "slab cache kmalloc-64"),
        (16, [cache("filp", 9 * GIB)], "preventive-maintenance.kernel-memory", "slab cache filp"),
        (6, [cache("filp", 5 * GIB)], "", ""),
    ],
)
def test_the_level_of_slab_is_one_finding_with_the_name_of_its_cache(
    gib: int, found: list[SlabCache], level: str, named: str
) -> None:
    seen = snapshot(slab(gib, *found))
    names = ("memory-leak", "memory-shortage", "preventive-maintenance")
    fires = [f"{name}.{check}" for name in names for check, state in states(book(name), seen).items()
             if state == "holds" and check in ("not-ours", "kernel-memory", "kernel-grows")]  # fmt: skip
    assert fires == ([level] if level else [])
    if level:
        assert causes(book(level.partition(".")[0]), seen)[0] == named


@pytest.mark.parametrize(
    ("growing", "samples", "seconds", "fires"),
    [
        (True, 13, 120.0, True),
        (True, 8, 46.0, True),
        (True, 3, 10.0, False),
        (True, 13, 20.0, False),
        (False, 13, 120.0, False),
    ],
)
def test_growth_of_slab_is_told_after_a_watch_with_the_cache_that_grows(
    samples: int, seconds: float, *, growing: bool, fires: bool
) -> None:
    watched = {"slab.growing": growing, "memory.samples": samples, "memory.watched_seconds": seconds}
    grown = [GrowingCache("kmalloc-1k", GIB, 4 * MIB), GrowingCache("dentry", GIB, MIB)]
    seen = snapshot(watched, {"slab_growth.caches": grown})
    assert (states(book("memory-leak"), seen)["kernel-grows"] == "holds") is fires
    assert causes(book("memory-leak"), seen)[:1] == (["slab cache kmalloc-1k"] if fires else [])


@pytest.mark.parametrize(
    ("found", "gib", "fires"),
    [
        ([cache("kmalloc-256", 9 * GIB, 12.0)], 10, True),
        ([cache("radix_tree_node", 5 * GIB, 49.0)], 7, True),
        ([cache("kmalloc-256", 9 * GIB, 80.0)], 10, False),
        ([cache("kmalloc-256", 2 * GIB, 12.0)], 10, False),
        ([cache("kmalloc-256", 3 * GIB, 12.0)], 4, False),
    ],
)
def test_a_cache_that_is_mostly_empty_is_told(found: list[SlabCache], gib: int, *, fires: bool) -> None:
    assert (states(book("memory-shortage"), snapshot(slab(gib, *found)))["slab-fragmented"] == "holds") is fires


def pool(percent: float, available: float) -> dict[str, Any]:
    idle = int(percent * 64 * GIB / 100)
    one = HugepagePool("2 MiB", 2 * MIB, total=30000, free=29000, reserved=0, surplus=0, idle_bytes=idle)
    return {
        **IDLE_POOL,
        "hugepages.pools": [one],
        "hugepages.idle_bytes": idle,
        "hugepages.idle_percent": percent,
        "memory.available_percent": available,
        "memory.available_bytes": int(available * 64 * GIB / 100),
    }


@pytest.mark.parametrize(
    ("percent", "available", "said"),
    [
        (64.0, 25.0, "warning"),
        (21.0, 60.0, "warning"),
        (8.0, 9.0, "warning"),
        (12.0, 15.0, "warning"),
        (12.0, 60.0, "info"),
        (19.0, 30.0, "info"),
        (6.0, 18.0, ""),
        (0.5, 25.0, ""),
        (0.0, 3.0, ""),
    ],
)
def test_idle_huge_pages_are_judged_by_what_they_keep_from_the_rest(
    percent: float, available: float, said: str
) -> None:
    found = states(book("memory-shortage"), snapshot(pool(percent, available)))
    fires = {"warning": found["hugepages-idle"] == "holds", "info": found["hugepages-spare"] == "holds"}
    assert [word for word, held in fires.items() if held] == ([said] if said else [])
    if said == "warning":
        assert causes(book("memory-shortage"), snapshot(pool(percent, available)))[0] == "idle huge pages"


def holder(kind: str, name: str, **more: Any) -> Holder:
    return Holder(kind=kind, name=name, shared_bytes=30 * GIB, **more)


def held_by(kind: str, *found: Holder, explained: bool = True) -> dict[str, Any]:
    reading = SharedMemoryReading(
        holders=list(found), kind=kind, explained=explained, unexplained_bytes=0 if explained else 30 * GIB
    )
    return {"shared_memory": reading, "memory.shared_percent": 48.0, "memory.shared_bytes": 31 * GIB}


@pytest.mark.parametrize(
    ("held", "check", "cause"),
    [
        (held_by("tmpfs", holder("tmpfs", "/srv/scratch", lasting=True)), "shared-memory-hog", "/srv/scratch"),
        (held_by("tmpfs"), "shared-memory-hog", ""),
        (held_by("", explained=False), "shared-memory-unexplained",
         "shared memory that no tmpfs, segment or process explains"),
        (held_by("segment", holder("segment", "SysV shared memory segment 7")), "", ""),
        (held_by("process", holder("process", "oracle", unit="oracle.service")), "", ""),
        (held_by("process"), "", ""),
        (held_by("unit", holder("unit", "broker.service", unit="broker.service")), "", ""),
    ],
)  # fmt: skip
def test_shared_memory_in_use_is_never_something_to_delete(held: dict[str, Any], check: str, cause: str) -> None:
    seen = snapshot(held)
    said = states(book("memory-shortage"), seen)
    assert [name for name in said if name.startswith("shared-memory") and said[name] == "holds"] == [check] * bool(
        check
    )
    assert causes(book("memory-shortage"), seen)[:1] == [cause] * bool(cause)


def test_a_process_with_a_memfd_is_the_cause_where_memory_is_short() -> None:
    """The service's own memory is small, and it is never blamed for what it does not hold."""
    small = msgspec.structs.replace(WORKER, anonymous_bytes=11 * MIB, swap_bytes=0, unit="")
    held = held_by("process", holder("process", "hold", pid=77, maps="memfd:ring"))
    seen = snapshot(SHORT, held, {"processes.all": [small]}, services(service("sshd.service", 11 * MIB)))
    assert causes(book("memory-shortage"), seen) == ["hold"]
    assert planned(book("memory-shortage"), seen, "restart-hog").decision == "not_needed"


@pytest.mark.parametrize(
    ("dying", "kept", "kernel", "fires"),
    [
        (41_000, 8.0, 9.0, True),
        (2_000, 6.0, 3.0, True),
        (9_000, 2.0, 14.0, True),
        (300, 8.0, 14.0, False),
        (90_000, 1.0, 2.0, False),
    ],
)
def test_dying_groups_are_told_where_the_kernel_holds_much(
    dying: int, kept: float, kernel: float, *, fires: bool
) -> None:
    counted = CgroupsReading(version=2, seen=0, shown=0, all=[], pressed=[], dying=dying, counts_dying=True)
    seen = snapshot({"cgroups": counted, "slab.unreclaimable_percent": kept, "memory.kernel_percent": kernel})
    assert (states(book("memory-shortage"), seen)["dying-groups"] == "holds") is fires


def test_zram_at_its_limit_and_a_limit_of_kernel_memory_are_told() -> None:
    zram = ZramReading(devices=[], memory_used_bytes=GIB, original_bytes=3 * GIB, full=True)
    assert states(book("memory-shortage"), snapshot({"zram": zram}))["zram-full"] == "holds"
    roomy = msgspec.structs.replace(zram, full=False)
    assert states(book("memory-shortage"), snapshot({"zram": roomy}))["zram-full"] == "fails"
    group = Group(path="/docker/x", name="x", kind="container", unit="", container="docker:x", kernel_limit_failures=9)
    pressed = CgroupsReading(version=1, seen=1, shown=1, all=[group], pressed=[group])
    assert states(book("memory-shortage"), snapshot({"cgroups": pressed}))["group-limit"] == "holds"


@pytest.mark.parametrize(
    ("growing", "samples", "expected"), [(True, 13, "holds"), (False, 13, "fails"), (True, 3, "fails")]
)
def test_without_systemd_a_leak_is_seen_by_what_all_processes_hold(
    samples: int, expected: str, *, growing: bool
) -> None:

    watched = {"memory.growing": growing, "memory.samples": samples, "memory.watched_seconds": 9.0 * samples}
    seen = snapshot(watched, {"processes.all": [WORKER]})
    seen = msgspec.structs.replace(seen, readings={**seen.readings, "units": ABSENT})
    assert states(book("memory-leak"), seen)["incident"] == expected
    assert causes(book("memory-leak"), seen)[:1] == (["search-api"] if expected == "holds" else [])


def test_a_small_service_that_grows_is_watched_and_not_restarted() -> None:
    leak = services(service("tiny.service", 11 * MIB, 2 * MIB, seconds_to_exhaustion=900.0))
    seen = snapshot(leak, {"units.samples": 13, "units.watched_seconds": 120.0})
    assert states(book("memory-leak"), seen)["incident"] == "holds"
    assert planned(book("memory-leak"), seen, "restart-leaker").decision == "not_needed"


@pytest.mark.parametrize(
    ("held", "cause"),
    [
        (held_by("tmpfs", holder("tmpfs", "/srv/scratch", lasting=True)), "/srv/scratch"),
        (held_by("process", holder("process", "hold")), "hold"),
        (services(service("refill.service", 40 * GIB)), "refill.service"),
        (foreign(0, 30), "memory in no counter (a driver or a balloon)"),
        (foreign(30, 0), "balloon of the hypervisor"),
        ({}, "size of swap"),
    ],
)
def test_the_size_of_swap_is_the_cause_only_where_nobody_holds_the_memory(held: dict[str, Any], cause: str) -> None:
    lacks = {"swap.total_bytes": 0, "swap.free_percent": ABSENT, "memory.available_percent": 6.0}
    seen = snapshot({**lacks, "memory.available_bytes": 3 * GIB}, held)
    assert states(book("swap-capacity"), seen)["incident"] == "holds"
    assert causes(book("swap-capacity"), seen)[0] == cause


@pytest.mark.parametrize(("name", "step"), [("memory-shortage", "restart-hog"), ("swap-exhausted", "restart-hog")])
def test_memory_in_no_counter_that_is_charged_to_a_service_is_the_services(name: str, step: str) -> None:
    """Before 5.18 no line says that the kernel's buffers belong to somebody; what the group holds does."""
    broker = service("broker.service", 40 * GIB, 40 * MIB, kernel_bytes=39 * GIB, policy=WILLING)
    seen = snapshot(SWAP_FULL, foreign(0, 41), services(broker), {"units.kernel_holders": [broker]})
    assert causes(book(name), seen)[0] == "broker.service"
    assert planned(book(name), seen, step).decision == "change"
    if name == "memory-shortage":
        assert states(book(name), seen)["outside"] == "fails"


@pytest.mark.parametrize("name", ["memory-shortage", "swap-exhausted", "swap-thrashing", "swap-capacity"])
@pytest.mark.parametrize(("balloon", "uncounted", "named"), [(30, 1, "balloon"), (0, 30, "memory in no counter")])
def test_a_service_whose_kernel_memory_is_small_hides_no_balloon(
    name: str, balloon: int, uncounted: int, named: str
) -> None:
    small = service("relay.service", 5 * GIB, 0, kernel_bytes=4 * GIB, policy=WILLING)
    sick = {**THRASHING, **SWAP_FULL, "swap.total_bytes": 2 * GIB, "memory.available_bytes": 900 * MIB}
    seen = snapshot(sick, foreign(balloon, uncounted), services(small), {"units.kernel_holders": [small]})
    assert causes(book(name), seen)[0].startswith(named)


def test_a_process_that_holds_a_memfd_is_one_that_may_be_ended() -> None:
    stray = msgspec.structs.replace(
        WORKER, pid=77, name="hold", anonymous_bytes=MIB, swap_bytes=0, unit="session-7.scope"
    )
    held = held_by("process", holder("process", "hold", pid=77, unit="session-7.scope"))
    step = planned(book("memory-shortage"), snapshot(SHORT, held, {"processes.all": [stray]}), "stop-stray")
    assert step.item == "77"
