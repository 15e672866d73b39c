from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.drop_caches import DropCaches
from memrunbook.core.action.action import Repeat, Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import GIB

CACHE, SLAB, ALL = DropCaches(what="pagecache"), DropCaches(what="slab"), DropCaches(what="all")
SHORT = {"memory.available_percent": 12.0, "slab.reclaimable_percent": 40.0}
USE = Use(ALL, SHORT)


def test_a_short_host_with_bloated_slab_may_drop_it() -> None:
    made = change(SLAB, host(SHORT))
    assert (made.summary, made.target) == ("Drop dentries and inodes", "slab")
    assert made.args == ("/proc/sys/vm/drop_caches", "2", "300")
    assert (made.risk, made.repeat) == (Risk.MEDIUM, Repeat.ONCE)
    assert made.undo is None
    assert change(CACHE, host(SHORT)).summary == "Drop the page cache"
    assert change(ALL, host(SHORT)).summary == "Drop the page cache, dentries and inodes"


def test_a_healthy_host_is_left_alone_with_its_numbers() -> None:
    why = blocked(CACHE, host())
    assert "62.5 % available, some pressure 0.0 %, swap-in 0 B/s, swap-out 0 B/s, allocation stalls 0.0/s" in why


def test_what_is_not_known_shows_no_shortage() -> None:
    unknown = {"pressure": Unavailable("absent", "no PSI"), "swap": DENIED, "vmstat": DENIED}
    assert "healthy (62.5 % available)" in blocked(CACHE, host(unknown))


@pytest.mark.parametrize(
    "changes",
    [
        {"pressure.some.percent": 5.0},
        {"vmstat.allocstalls_per_second": 2.0},
        {"vmstat.compact_fails_per_second": 1.0},
        {"buddy.extfrag_3": 0.9},
        {"buddy.extfrag_9": 0.6, "hugepages.total": 8},
        {"buddy.unusable_9": 0.95, "vmstat.thp_fault_fallbacks_per_second": 0.5, "hugepages": DENIED},
    ],
)
def test_a_host_that_waits_for_memory_is_not_healthy(changes: dict[str, object]) -> None:
    assert change(CACHE, host(changes)).target == "pagecache"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.database": True}, "database"),
        ({"host.kubernetes": True}, "Kubernetes"),
        ({"host.container": True}, "container"),
        ({"memory": DENIED}, "memory.available_percent is unknown"),
        ({**SHORT, "memory.dirty_bytes": 3 * GIB}, "38 % of the page cache"),
        ({**SHORT, "memory.cached_bytes": 0}, "100 % of the page cache"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(CACHE, host(changes))


def test_dirty_pages_do_not_keep_slab() -> None:
    assert change(SLAB, host({**SHORT, "memory.dirty_bytes": 3 * GIB})).target == "slab"


def test_little_is_not_worth_it() -> None:
    assert "3.0 % of RAM" in not_needed(ALL, host({**SHORT, "memory.droppable_percent": 3.0}))
    assert "4.7 % of RAM" in not_needed(SLAB, host({"memory.available_percent": 12.0}))


def test_the_script_writes_the_number(machine: Machine, tmp_path: Path) -> None:
    made = change(ALL, host(SHORT))
    knob = tmp_path / "drop_caches"
    assert machine.do(made.script, str(knob), *made.args[1:]).status == 0
    assert knob.read_text() == "3\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"buddy.unusable_9": 1.0, "buddy.extfrag_9": 0.9},
        {"buddy.unusable_9": 0.9, "hugepages.total": 8},
        {"buddy": DENIED, "hugepages.total": 8},
    ],
)
def test_large_blocks_that_nobody_wants_or_lacks_are_no_shortage(changes: dict[str, object]) -> None:
    assert "healthy" in blocked(CACHE, host(changes))
