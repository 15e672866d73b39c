"""What the shipped runbooks would do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.runbooks.worlds import (
    IDLE_POOL,
    OLD_EVENTS,
    THRASHING,
    book,
    fragments,
    planned,
    service,
    services,
    snapshot,
    writer,
    writing,
)  # fmt: skip

from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.plan.diagnosis import world_of
from memrunbook.core.units import GIB, MIB
from memrunbook.facts.oom import CacheDrop
from memrunbook.linux.service import Service

CATALOG, LEAKY = service("catalog.service", 30 * GIB), service("leaky.service", 22 * GIB, 40 * MIB)
HALF = service("search.service", 29 * GIB)
SHORT = {"memory.available_percent": 3.0, "memory.available_bytes": 900 * MIB, "vmstat.allocstalls_per_second": 9.0}


def frozen(one: Service) -> Service:
    return msgspec.structs.replace(one, freezer_state="frozen", growth_bytes_per_second=0)


@pytest.mark.parametrize(
    ("found", "restarted"),
    [
        ([CATALOG, LEAKY], "leaky.service"),
        ([CATALOG], "catalog.service"),
        ([CATALOG, service("small.service", MIB, 2 * MIB)], "catalog.service"),
        ([CATALOG, HALF, service("other.service", 2 * GIB)], ""),
        ([CATALOG, frozen(LEAKY)], ""),
        ([frozen(CATALOG), service("other.service", GIB)], "catalog.service"),
        ([CATALOG, service("leaky.service", 22 * GIB, 40 * MIB, policy=UnitPolicy(restart="no"))], ""),
    ],
)
def test_thrashing_restarts_who_grows_else_who_holds_most_of_all(found: list[Service], restarted: str) -> None:
    step = planned(book("swap-thrashing"), snapshot(THRASHING, services(*found)), "restart-grower")
    assert (step.item, step.decision) == (restarted, "change" if restarted else "not_needed")


@pytest.mark.parametrize(
    ("runbook", "step", "host"),
    [
        ("memory-shortage", "restart-hog", SHORT),
        ("swap-exhausted", "restart-hog", {**SHORT, "swap.free_percent": 5.0}),
        ("swap-thrashing", "restart-grower", THRASHING),
    ],
)
@pytest.mark.parametrize(("often", "restarts"), [(False, None), (False, 2), (True, 3)])
def test_only_who_was_restarted_often_is_not_restarted_again(
    runbook: str, step: str, host: dict[str, Any], restarts: int | None, *, often: bool
) -> None:
    found = services(service("leaky.service", 22 * GIB, 40 * MIB, restarts=restarts, restarted_often=often))
    seen = planned(book(runbook), snapshot(host, found), step)
    assert seen.decision == ("blocked" if often else "change"), seen.why
    assert ("three times" in seen.why) is often


@pytest.mark.parametrize(
    ("ram", "limits", "all_", "step", "summary"),
    [
        (256 * GIB, (0, 0, 256 * MIB, 256 * MIB), False, "dirty-sizes",
         "vm.dirty_bytes 268435456 -> 268435456, vm.dirty_background_bytes 268435456 -> 67108864"),
        (8 * GIB, (0, 0, 256 * MIB, 300 * MIB), False, "dirty-sizes",
         "vm.dirty_bytes 268435456 -> 268435456, vm.dirty_background_bytes 314572800 -> 67108864"),
        (256 * GIB, (10, 3, 0, 0), True, "dirty-sizes",
         "vm.dirty_bytes 0 -> 536870912, vm.dirty_background_bytes 0 -> 67108864"),
        (64 * GIB, (10, 20, 0, 0), False, "dirty-sizes",
         "vm.dirty_bytes 0 -> 536870912, vm.dirty_background_bytes 0 -> 67108864"),
        (8 * GIB, (10, 20, 0, 0), False, "dirty-limits",
         "vm.dirty_ratio 10 -> 20, vm.dirty_background_ratio 20 -> 10"),
        (256 * GIB, (10, 3, 0, 0), False, "", ""),
    ],
)  # fmt: skip
def test_dirty_limits_by_size_are_kept_and_large_hosts_get_sizes(
    ram: int, limits: tuple[int, int, int, int], step: str, summary: str, *, all_: bool
) -> None:
    keys = ("dirty_ratio", "dirty_background_ratio", "dirty_bytes", "dirty_background_bytes")
    changes = {f"sysctl.vm.{key}": value for key, value in zip(keys, limits, strict=True)}
    seen = snapshot(changes, {"memory.total_bytes": ram})
    runbook = book("kernel-tuning", all="true" if all_ else "false")
    both = {name: planned(runbook, seen, name) for name in ("dirty-limits", "dirty-sizes")}
    assert {name for name, one in both.items() if one.change} == ({step} if step else set())
    change = both[step].change if step else None
    assert (change.summary if change else "") == summary


@pytest.mark.parametrize(("asked", "decision"), [(0, "change"), (16384, "blocked")])
def test_a_pool_that_a_file_asks_for_is_not_given_away(asked: int, decision: str) -> None:
    host = {**SHORT, **IDLE_POOL, "sysctl_files.nr_hugepages": asked}
    assert planned(book("memory-shortage"), snapshot(host), "release-hugepages").decision == decision


def test_memory_is_compacted_again_only_after_caches_were_dropped() -> None:
    holey = fragments([9000, 6000, 2500, 0, 0, 0, 0, 0, 0, 0, 0])
    runbook = book("memory-fragmentation")
    dropped = CacheDrop(name="sh", pid=7, value=3, age_seconds=20.0)
    for drops, decision in (([], "not_needed"), ([dropped], "change")):
        assert planned(runbook, snapshot(holey, {"oom.cache_drops": drops}), "compact-again").decision == decision


@pytest.mark.parametrize("step", ["freeze-writer", "stop-writer"])
def test_a_writer_is_proven_to_have_been_the_one_who_made_others_wait(step: str) -> None:
    runbook = book("writeback-stall")
    at_limit, a_byte_less, written = (writing(size, GIB, GIB // 2, io_full=full) for size, full in (
        (1000 * MIB, 80.0), (1000 * MIB - 1, 80.0), (100 * MIB, 0.0)))  # fmt: skip
    bound = next(one for one in runbook.steps if one.spec.id == step)
    assert bound.verify is not None
    assert bound.verify.hold >= 10.0
    before = snapshot(at_limit, writer("importer.service", 900 * MIB))
    for after, state in ((a_byte_less, "fails"), (written, "holds")):
        world = world_of(runbook, snapshot(after)).at(before=before, target="importer.service")
        assert bound.verify.that.evaluate(world).state == state


@pytest.mark.parametrize("name", ["oom-event", "swap-thrashing"])
def test_no_proof_asks_an_old_kernel_for_what_it_does_not_count(name: str) -> None:
    seen = snapshot({"vmstat": OLD_EVENTS}, services(service("web.service", GIB)))
    for step in book(name).steps:
        if step.verify is not None:
            world = world_of(book(name), seen).at(before=seen, target="web.service")
            assert step.verify.that.evaluate(world).state == "holds", step.spec.id
