from __future__ import annotations

from memrunbook.actions.sysctls import KNOBS, path
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


def test_every_range_holds_something_and_every_change_has_its_cost() -> None:
    assert all(knob.low <= knob.high and knob.costs for knob in KNOBS.values())
