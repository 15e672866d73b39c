from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.set_sysctl import SCRIPT, UNDO, SetSysctl
from memrunbook.actions.shared.sysctl_rules import harmless
from memrunbook.actions.shared.sysctls import KNOBS
from memrunbook.core.action.action import Risk
from memrunbook.core.units import GIB, KIB, MIB, Duration, decode

USE = Use(SetSysctl(key="vm.swappiness", value=10, for_=Duration(60)))


def test_a_parameter_is_set_for_a_while() -> None:
    action = msgspec.convert({"key": "vm.swappiness", "value": 10, "for": "2h"}, SetSysctl, dec_hook=decode)
    made = change(action, host())
    assert made.summary == "vm.swappiness 60 -> 10, back after 2 h"
    assert made.args == ("/proc/sys/vm/swappiness", "10")
    assert (made.target, made.back_after, made.risk) == ("vm.swappiness", 7200.0, Risk.LOW)
    assert made.undo is not None
    assert made.undo.args == ("/proc/sys/vm/swappiness", "10", "/proc/sys/vm/swappiness", "60")
    assert made.verify is not None
    assert made.verify.that == "sysctl.vm.swappiness == 10"


def test_the_old_value_is_no_part_of_the_digest() -> None:
    action = SetSysctl(key="vm.swappiness", value=10)
    assert change(action, host({"sysctl.vm.swappiness": 30})).digest == change(action, host()).digest


def test_cgroup_v1_keeps_its_own_swappiness() -> None:
    action = SetSysctl(key="vm.swappiness", value=10)
    assert "cgroup v1" in change(action, host({"host.cgroup_version": 1})).costs
    assert "cgroup v1" not in change(action, host()).costs


def test_the_kernels_own_spelling_is_known() -> None:
    assert change(SetSysctl(key="vm.page-cluster", value=0), host()).args == ("/proc/sys/vm/page-cluster", "0")


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("vm.min_free_kbytes", "512 MiB", str(512 * MIB // KIB)),
        ("vm.min_free_kbytes", "524288", "524288"),
        ("vm.dirty_bytes", "6 GiB", str(6 * GIB)),
    ],
)
def test_sizes_may_be_written_with_units(key: str, value: str, written: str) -> None:
    assert change(SetSysctl(key=key, value=value), host()).args[1] == written


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("vm.swapiness", 10, "vm.swapiness is no parameter"),
        ("net.core.somaxconn", 10, "net.core.somaxconn is no parameter"),
        ("vm.swappiness", 201, "201 is not allowed"),
        ("vm.swappiness", -1, "-1 is not allowed"),
        ("vm.swappiness", "ten", "ten is not allowed"),
        ("vm.swappiness", "10 MiB", "10 MiB is not allowed"),
        ("vm.dirty_bytes", "much", "much is not allowed"),
        ("vm.zone_reclaim_mode", 2, "2 is not allowed"),
        ("vm.max_map_count", 65530 - 1, "not allowed"),
    ],
)
def test_values_that_are_refused_anywhere(key: str, value: int | str, word: str) -> None:
    assert word in blocked(SetSysctl(key=key, value=value), host())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.container": True}, "container"),
        ({"host.kubernetes": True}, "Kubernetes"),
        ({"host.systemd_version": 230}, "`for` needs systemd"),
        ({"sysctl.vm.swappiness": DENIED}, "sysctl.vm.swappiness is unknown"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(SetSysctl(key="vm.swappiness", value=10, for_=Duration(60)), host(changes))


def test_a_parameter_is_not_set_to_the_value_that_it_has() -> None:
    assert not_needed(SetSysctl(key="vm.swappiness", value=60), host()) == "vm.swappiness is 60"


def test_the_rules_of_a_parameter_count() -> None:
    raised = host({"sysctl.vm.max_map_count": 262144})
    assert "could not start again" in blocked(SetSysctl(key="vm.max_map_count", value=65530), raised)


def test_the_undo_of_a_ratio_writes_back_the_bytes_that_it_replaced() -> None:
    in_bytes = {"sysctl.vm.dirty_ratio": 0, "sysctl.vm.dirty_bytes": 5 * GIB}
    made = change(SetSysctl(key="vm.dirty_ratio", value=20), host(in_bytes))
    assert made.undo is not None
    assert made.undo.args == ("/proc/sys/vm/dirty_ratio", "20", "/proc/sys/vm/dirty_bytes", str(5 * GIB))


def test_two_zeros_are_taken_back_where_they_were() -> None:
    zeros = {"sysctl.vm.dirty_background_ratio": 0, "sysctl.vm.dirty_background_bytes": 0}
    made = change(SetSysctl(key="vm.dirty_background_ratio", value=5), host(zeros))
    assert made.undo is not None
    assert made.undo.args[2:] == ("/proc/sys/vm/dirty_background_ratio", "0")


STRICT = {"sysctl.vm.overcommit_memory": 2, "sysctl.vm.admin_reserve_kbytes": 131072}


@pytest.mark.parametrize(
    ("key", "value", "changes", "mode"),
    [
        ("vm.overcommit_memory", 0, STRICT, "offer"),
        ("vm.overcommit_memory", 0, {"sysctl.vm.overcommit_memory": 2}, "offer"),
        ("vm.overcommit_memory", 1, {}, "auto"),
        ("vm.overcommit_ratio", 80, STRICT, "offer"),
        ("vm.overcommit_ratio", 80, {}, "auto"),
        (
            "vm.overcommit_ratio",
            80,
            {**STRICT, "sysctl.vm.overcommit_kbytes": GIB, "sysctl.vm.overcommit_ratio": 0},
            "offer",
        ),
    ],
)
def test_nothing_goes_back_to_strict_overcommit_by_itself(
    key: str, value: int, changes: dict[str, object], mode: str
) -> None:
    made = change(SetSysctl(key=key, value=value), host(changes))
    assert made.undo is not None
    assert made.undo.mode == mode
    for_a_while = SetSysctl(key=key, value=value, for_=Duration(60))
    if mode == "offer":
        assert "going back" in blocked(for_a_while, host(changes))
    else:
        assert change(for_a_while, host(changes)).back_after == 60.0


def test_the_script_writes_and_looks(machine: Machine, tmp_path: Path) -> None:
    knob = tmp_path / "swappiness"
    knob.write_text("60\n")
    assert machine.do(SCRIPT, str(knob), "10").status == 0
    assert knob.read_text() == "10\n"
    assert machine.do(SCRIPT, str(tmp_path / "none" / "knob"), "10").status == 1


def test_a_value_that_the_kernel_does_not_take_is_a_failure(machine: Machine) -> None:
    result = machine.do(SCRIPT, "/dev/null", "10")
    assert (result.status, result.text) == (1, "/dev/null is  after 10 was written\n")
    assert machine.do(SCRIPT, "/dev/full", "10").status == 1


def test_the_undo_writes_the_old_value_once(machine: Machine, tmp_path: Path) -> None:
    knob = tmp_path / "swappiness"
    knob.write_text("10\n")
    args = (str(knob), "10", str(knob), "60")
    assert machine.undo(UNDO, *args).status == 0
    assert knob.read_text() == "60\n"
    assert machine.do(UNDO, *args).status == 0


def test_the_undo_leaves_alone_what_somebody_else_has_set(machine: Machine, tmp_path: Path) -> None:
    knob = tmp_path / "swappiness"
    knob.write_text("30\n")
    result = machine.undo(UNDO, str(knob), "10", str(knob), "60")
    assert (result.status, "30, not 10" in result.text) == (4, True)
    assert knob.read_text() == "30\n"


def test_the_undo_by_a_ratio_of_zero_tells_ours_from_somebody_elses(machine: Machine, tmp_path: Path) -> None:
    size, ratio = tmp_path / "dirty_background_bytes", tmp_path / "dirty_background_ratio"
    size.write_text("4096\n")
    ratio.write_text("0\n")
    assert machine.undo(UNDO, str(size), "4096", str(ratio), "0", settles=False).status == 0
    size.write_text("0\n")
    assert machine.undo(UNDO, str(size), "4096", str(ratio), "0").status == 0
    size.write_text("333\n")
    assert machine.undo(UNDO, str(size), "4096", str(ratio), "0").status == 4


def test_the_undo_by_the_twin_looks_at_both(machine: Machine, tmp_path: Path) -> None:
    ratio, size = tmp_path / "dirty_ratio", tmp_path / "dirty_bytes"
    ratio.write_text("20\n")
    size.write_text("0\n")
    assert machine.undo(UNDO, str(ratio), "20", str(size), "4096", settles=False).status == 0
    assert size.read_text() == "4096\n"
    assert machine.undo(UNDO, str(tmp_path / "none"), "20", str(size), "1").status == 1
    assert machine.undo(UNDO, str(ratio), "20", str(tmp_path / "none"), "1").status == 1


PLAIN = [key for key, knob in KNOBS.items() if knob.judge is harmless]


@pytest.mark.parametrize("key", PLAIN)
def test_without_what_it_does_not_read_the_decision_is_the_same(key: str) -> None:
    knob = KNOBS[key]
    everything = host()
    old = everything.value(f"sysctl.{key}")
    value = next(one for one in (knob.low, knob.high) if one != old)
    action = SetSysctl(key=key, value=value)
    given = {"key": key, "value": value}
    read = {name: reading for name, reading in everything.readings.items() if name in SetSysctl.reads(given)}
    assert action.decide(msgspec.structs.replace(everything, readings=read)) == action.decide(everything)


def test_only_what_a_parameter_is_judged_by_is_read() -> None:
    assert set(SetSysctl.reads({"key": "vm.page-cluster", "value": 1})) == {"host", "sysctl", "memory"}
    kept = SetSysctl.reads({"key": "vm.page_cluster", "value": 1, "persist": True})
    assert set(kept) == {"host", "sysctl", "memory", "sysctl_files"}
    assert set(SetSysctl.reads({"key": "vm.overcommit_ratio", "value": 90})) == {*SetSysctl.needs} - {"sysctl_files"}


def test_of_what_is_computed_everything_is_read() -> None:
    assert SetSysctl.reads({"key": object(), "value": 1, "persist": object()}) == SetSysctl.needs
