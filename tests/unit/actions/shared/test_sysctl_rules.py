from __future__ import annotations

from typing import Any

import pytest
from tests.unit.actions.hosts import DENIED, host

from memrunbook.actions.shared import sysctl_rules as rules
from memrunbook.core.action.action import Blocked, Risk
from memrunbook.core.units import GIB, KIB, MIB

LOW, MEDIUM, HIGH = Risk.LOW, Risk.MEDIUM, Risk.HIGH
STRICT = {"sysctl.vm.overcommit_memory": 2}


def verdict(judge: rules.Judge, old: int, new: int, changes: dict[str, Any] | None = None) -> Risk | str:
    judged = judge(host(changes), old, new)
    if isinstance(judged, Blocked):
        assert judged.hint
        return judged.why
    return judged


def test_most_values_cost_performance_at_most() -> None:
    assert verdict(rules.harmless, 1, 2) is LOW


@pytest.mark.parametrize(
    ("new", "changes", "expected"),
    [
        (10, {}, LOW),
        (0, {}, MEDIUM),
        (133, {"swap.zram_only": True}, LOW),
        (133, {"memory.zswap_bytes": MIB}, LOW),
        (133, {}, "swap in memory"),
        (133, {"swap": DENIED, "memory": DENIED}, "swap in memory"),
        (133, {"host.kernel": "4.19.0", "swap.zram_only": True}, "5.8"),
    ],
)
def test_swappiness(new: int, changes: dict[str, object], expected: Risk | str) -> None:
    judged = verdict(rules.swappiness, 60, new, changes)
    assert judged is expected if isinstance(expected, Risk) else expected in str(judged)


def test_a_cache_pressure_far_above_the_default_is_a_risk() -> None:
    assert verdict(rules.cache_pressure, 100, 200) is LOW
    assert verdict(rules.cache_pressure, 100, 500) is MEDIUM


def test_the_map_count_is_only_raised() -> None:
    assert verdict(rules.raise_only, 65530, 262144) is LOW
    assert "could not start again" in str(verdict(rules.raise_only, 262144, 65530))


@pytest.mark.parametrize(
    ("old", "new", "changes", "expected"),
    [
        (67584, 524288, {}, MEDIUM),
        (67584, 2 * GIB // KIB, {}, HIGH),
        (4 * GIB // KIB, 67584, {"memory.available_bytes": MIB}, MEDIUM),
        (67584, 4 * GIB // KIB, {}, "6.2 % of RAM"),
        (67584, 4096, {}, "kernel's own default"),
        (67584, GIB // KIB, {"memory.available_bytes": 8 * GIB}, "available memory would fall to"),
        (67584, GIB // KIB, {"memory.available_bytes": 0}, "would fall to 0.0 %"),
        (67584, GIB // KIB, {"memory": DENIED}, "memory.total_bytes is unknown"),
        (67584, GIB // KIB, {"sysctl.min_free_default_kbytes": None}, "min_free_default_kbytes is unknown"),
    ],
)
def test_the_reserve(old: int, new: int, changes: dict[str, object], expected: Risk | str) -> None:
    judged = verdict(rules.reserve, old, new, changes)
    assert judged is expected if isinstance(expected, Risk) else expected in str(judged)


def test_a_small_host_is_advised_at_most_three_percent() -> None:
    small = {"memory.total_bytes": GIB, "memory.available_bytes": GIB, "sysctl.min_free_default_kbytes": 4096}
    assert verdict(rules.reserve, 4096, 30 * MIB // KIB, small) is MEDIUM
    assert verdict(rules.reserve, 4096, 40 * MIB // KIB, small) is HIGH


def test_watermarks_may_not_eat_the_available_memory() -> None:
    assert verdict(rules.watermarks, 10, 50) is LOW
    assert verdict(rules.watermarks, 50, 10) is LOW
    assert "would fall" in str(verdict(rules.watermarks, 10, 200, {"memory.available_bytes": 9 * GIB}))
    assert "unknown" in str(verdict(rules.watermarks, 10, 50, {"memory": DENIED}))


@pytest.mark.parametrize(
    ("key", "new", "changes", "expected"),
    [
        ("vm.dirty_ratio", 30, {}, LOW),
        ("vm.dirty_ratio", 11, {"memory.dirty_bytes": 5 * GIB}, MEDIUM),
        ("vm.dirty_ratio", 10, {}, "would begin at"),
        ("vm.dirty_background_ratio", 25, {}, "would begin at"),
        ("vm.dirty_background_ratio", 5, {}, LOW),
        ("vm.dirty_bytes", 512 * MIB, {}, "would begin at 4.0 GiB"),
        ("vm.dirty_bytes", 512 * MIB, {"sysctl.vm.dirty_background_bytes": 64 * MIB}, LOW),
        ("vm.dirty_background_bytes", 64 * MIB, {"sysctl.vm.dirty_bytes": 512 * MIB}, LOW),
        ("vm.dirty_ratio", 20, {"sysctl.vm.dirty_bytes": 1}, LOW),
        ("vm.dirty_ratio", 30, {"memory.dirty_bytes": DENIED}, "memory.dirty_bytes is unknown"),
    ],
)
def test_dirty_limits(key: str, new: int, changes: dict[str, object], expected: Risk | str) -> None:
    judged = verdict(rules.dirty_limit(key), 0, new, changes)
    assert judged is expected if isinstance(expected, Risk) else expected in str(judged)


@pytest.mark.parametrize(
    ("new", "changes", "expected"),
    [
        (0, {}, LOW),
        (1, {}, MEDIUM),
        (2, {}, "root could not log in"),
        (2, {"sysctl.vm.admin_reserve_kbytes": 131072}, HIGH),
        (2, {"sysctl.vm.admin_reserve_kbytes": 131072, "memory.committed_bytes": 33 * GIB}, "33.0 GiB is promised"),
        (2, {"sysctl.vm.admin_reserve_kbytes": 131072, "memory.committed_bytes": None}, "committed_bytes is unknown"),
        (2, {"memory": DENIED}, "commit_limit_bytes is unknown"),
    ],
)
def test_the_overcommit_mode(new: int, changes: dict[str, object], expected: Risk | str) -> None:
    judged = verdict(rules.overcommit_mode, 0, new, changes)
    assert judged is expected if isinstance(expected, Risk) else expected in str(judged)


@pytest.mark.parametrize(
    ("old", "new", "changes", "expected"),
    [
        (50, 80, {}, LOW),
        (80, 50, {}, LOW),
        (50, 80, STRICT, LOW),
        (80, 50, STRICT, HIGH),
        (0, 50, {**STRICT, "hugepages.all_bytes": 40 * GIB}, "is promised already"),
        (80, 50, {"hugepages": DENIED}, "hugepages.all_bytes is unknown"),
        (80, 50, {"swap": DENIED}, "swap.total_bytes is unknown"),
    ],
)
def test_the_overcommit_ratio(old: int, new: int, changes: dict[str, object], expected: Risk | str) -> None:
    judged = verdict(rules.overcommit_ratio, old, new, changes)
    assert judged is expected if isinstance(expected, Risk) else expected in str(judged)


def test_the_overcommit_size() -> None:
    assert verdict(rules.overcommit_kbytes, 0, 32 * GIB // KIB, STRICT) is HIGH
    assert "is promised already" in str(verdict(rules.overcommit_kbytes, 0, GIB // KIB, STRICT))
