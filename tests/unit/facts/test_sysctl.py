from __future__ import annotations

import pytest

from memrunbook.facts import sysctl


@pytest.mark.parametrize(
    ("low_kib", "reserve"),
    [(0, 128), (1024, 128), (32768, 724), (1 << 20, 4096), (16 << 20, 16384), (1 << 32, 262144), (1 << 40, 262144)],
)
def test_the_default_reserve_is_the_table_in_the_kernel_source(low_kib: int, reserve: int) -> None:
    """The comment above init_per_zone_wmark_min: 32 MB 724k, 1024 MB 4096k, 16384 MB 16384k."""
    assert sysctl.default_reserve(low_kib) == reserve


def test_files_are_named_as_the_kernel_names_them() -> None:
    assert sysctl.PATHS["vm.page_cluster"] == "/proc/sys/vm/page-cluster"
    assert sysctl.PATHS["kernel.threads_max"] == "/proc/sys/kernel/threads-max"
    assert sysctl.PATHS["vm.swappiness"] == "/proc/sys/vm/swappiness"


def test_no_path_has_a_side_effect() -> None:
    forbidden = ("stat_refresh", "drop_caches", "compact_memory")
    assert not [path for path in sysctl.PATHS.values() if path.endswith(forbidden)]
