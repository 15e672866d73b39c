from __future__ import annotations

import pytest
from tests.unit.actions.hosts import host

from memrunbook.actions.shared.sysctls import KNOBS, counting, path
from memrunbook.facts.sysctl import VmSysctls


def test_every_parameter_is_a_metric_and_a_file_below_vm() -> None:
    for key in KNOBS:
        assert key.removeprefix("vm.") in VmSysctls.__struct_fields__
        assert path(key).startswith("/proc/sys/vm/")
    assert path("vm.page_cluster") == "/proc/sys/vm/page-cluster"


def test_twins_name_each_other() -> None:
    twins = {key: knob.twin for key, knob in KNOBS.items() if knob.twin}
    assert twins
    assert all(twins[twin] == key for key, twin in twins.items())


@pytest.mark.parametrize(
    ("ratio", "size", "counts"),
    [(20, 0, ("vm.dirty_ratio", 20)), (0, 512, ("vm.dirty_bytes", 512)), (0, 0, ("vm.dirty_ratio", 0))],
)
def test_of_twins_one_counts_and_where_both_are_zero_it_is_the_ratio(
    ratio: int, size: int, counts: tuple[str, int]
) -> None:
    now = host({"sysctl.vm.dirty_ratio": ratio, "sysctl.vm.dirty_bytes": size})
    assert counting(now, "vm.dirty_ratio") == counting(now, "vm.dirty_bytes") == counts


def test_a_parameter_without_a_twin_counts_itself() -> None:
    assert counting(host({"sysctl.vm.swappiness": 0}), "vm.swappiness") == ("vm.swappiness", 0)


def test_every_range_holds_something_and_every_change_has_its_cost() -> None:
    assert all(knob.low <= knob.high and knob.costs for knob in KNOBS.values())
