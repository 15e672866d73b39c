from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import API, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.limit_unit import LimitUnit
from memrunbook.core.action.action import Risk
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.units import GIB, MIB, Duration, Size

ABOVE = LimitUnit(unit=API.name, memory_max=Size(10 * GIB), swap_max=Size(GIB))
BELOW = LimitUnit(unit=API.name, memory_max=Size(4 * GIB))
THROTTLE = LimitUnit(unit=API.name, memory_high=Size(4 * GIB), for_=Duration(7200))
OLD = {"MemoryHigh": "infinity", "MemoryMax": "infinity", "MemorySwapMax": "infinity"}
USE = Use(LimitUnit(unit=API.name, memory_max=Size(10 * GIB), for_=Duration(60)))


def test_a_limit_above_usage_is_of_medium_risk() -> None:
    made = change(ABOVE, host())
    assert made.summary == "Limit search-api.service: MemoryMax 10.0 GiB, MemorySwapMax 1.0 GiB"
    assert made.args == (API.name, "812", "4f1c", f"MemoryMax={10 * GIB}", f"MemorySwapMax={GIB}")
    assert made.risk is Risk.MEDIUM
    assert made.undo is not None
    assert made.undo.args == (
        API.name,
        "/sys/fs/cgroup",
        f"MemoryMax={10 * GIB} MemoryMax=infinity",
        f"MemorySwapMax={GIB} MemorySwapMax=infinity",
    )
    assert made.verify is not None
    assert f"u.memory_max_bytes <= {10 * GIB}" in made.verify.that
    assert made.verify.hold >= 60.0


def test_the_limits_of_before_are_part_of_the_undo_not_of_the_digest() -> None:
    made = change(ABOVE, with_unit(memory_max_bytes=20 * GIB))
    assert made.undo is not None
    assert made.undo.args[2].endswith(f" MemoryMax={20 * GIB}")
    assert made.digest == change(ABOVE, host()).digest


def test_a_hard_limit_below_usage_kills_at_once() -> None:
    made = change(BELOW, with_unit(restart_setting="no"))
    assert made.risk is Risk.HIGH
    assert "at once" in made.costs
    assert "Restart=no" in made.costs
    assert "Restart=no" not in change(BELOW, host()).costs


def test_throttling_is_for_batch_work() -> None:
    assert change(THROTTLE, host()).risk is Risk.HIGH
    batch = with_unit(UnitPolicy(kind="batch"))
    made = change(THROTTLE, batch)
    assert (made.risk, made.back_after) == (Risk.MEDIUM, 7200.0)
    assert made.summary.endswith(", back after 2 h")
    with_oomd = host({"host.remediators": ["systemd-oomd"]})
    assert change(LimitUnit(unit=API.name, memory_high=Size(20 * GIB)), with_oomd).risk is Risk.HIGH


@pytest.mark.parametrize(
    ("action", "changes", "word"),
    [
        (LimitUnit(unit=API.name), {}, "no limit"),
        (LimitUnit(unit=FAILED.name, memory_max=Size(GIB)), {}, "is down, and only"),
        (THROTTLE, {"host.cgroup_version": 1}, "cgroup v2"),
        (ABOVE, {"host.cgroup_version": 0}, "cgroup v2"),
        (BELOW, {"host.cgroup_version": 1}, "cgroup v1 refuses"),
        (ABOVE, {"host.remediators": None}, "host.remediators is unknown"),
    ],
)
def test_limits_that_this_host_does_not_take(action: LimitUnit, changes: dict[str, object], word: str) -> None:
    assert word in blocked(action, host(changes))


def test_cgroup_v1_takes_a_hard_limit_above_usage() -> None:
    action = LimitUnit(unit=API.name, memory_max=Size(10 * GIB))
    assert change(action, host({"host.cgroup_version": 1})).risk is Risk.MEDIUM


def test_usage_must_be_known() -> None:
    assert "is unknown" in blocked(ABOVE, with_unit(memory_bytes=None))


def test_limits_that_are_set_are_not_set_again() -> None:
    assert "has these limits" in not_needed(BELOW, with_unit(memory_max_bytes=4 * GIB))


def test_the_script_sets_all_limits_at_once(machine: Machine) -> None:
    made = change(ABOVE, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == [
        f"set-property --no-ask-password --runtime -- search-api.service MemoryMax={10 * GIB} MemorySwapMax={GIB}"
    ]
    machine.fails()
    assert machine.do(made.script, *made.args).status == 1


def test_the_undo_takes_back_what_is_still_ours(machine: Machine) -> None:
    made = change(ABOVE, host())
    assert made.undo is not None
    machine.shows(**{**OLD, "MemoryMax": str(10 * GIB), "MemorySwapMax": str(GIB)})
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    machine.shows(**{**OLD, "MemoryMax": str(10 * GIB)})
    assert machine.do(made.undo.script, *made.undo.args).status == 0
    put = "set-property --no-ask-password --runtime -- search-api.service"
    assert machine.calls == [f"{put} MemoryMax=infinity MemorySwapMax=infinity", f"{put} MemoryMax=infinity"]
    machine.shows(**OLD)
    assert machine.undo(made.undo.script, *made.undo.args).status == 0
    machine.shows(**{**OLD, "MemoryMax": str(GIB), "MemorySwapMax": str(GIB)})
    result = machine.undo(made.undo.script, *made.undo.args)
    assert (result.status, "somebody changed it" in result.text) == (4, True)
    assert len(machine.calls) == 2


@pytest.mark.parametrize(
    ("current", "group", "kept"),
    [
        (str(8 * GIB), "/a.service", ""),
        (str(8 * GIB + 1), "/a.service", f"uses {8 * GIB + 1}: MemoryMax={8 * GIB} would be below that"),
        ("[not set]", "/a.service", "uses an unknown amount"),
        ("18446744073709551615", "/a.service", "uses an unknown amount"),
        ("[not set]", "", ""),
    ],
)
def test_a_hard_limit_below_usage_is_not_put_back(machine: Machine, current: str, group: str, kept: str) -> None:
    made = change(LimitUnit(unit=API.name, memory_max=Size(10 * GIB)), with_unit(memory_max_bytes=8 * GIB))
    assert made.undo is not None
    machine.shows(MemoryMax=str(10 * GIB), MemoryCurrent=current, ControlGroup=group)
    result = machine.undo(made.undo.script, *made.undo.args)
    assert (result.status, kept in result.text) == (4 if kept else 0, True)
    put = f"set-property --no-ask-password --runtime -- search-api.service MemoryMax={8 * GIB}"
    assert machine.calls == ([] if kept else [put])


@pytest.mark.parametrize(("swapped", "status"), [(str(2 * GIB), 0), (str(3 * GIB), 4), ("?", 4), (None, 0)])
def test_a_limit_of_swap_below_usage_is_not_put_back(
    machine: Machine, tmp_path: Path, swapped: str | None, status: int
) -> None:
    made = change(LimitUnit(unit=API.name, swap_max=Size(4 * GIB)), with_unit(swap_max_bytes=2 * GIB))
    assert made.undo is not None
    group = tmp_path / "cgroup" / "a.service"
    group.mkdir(parents=True)
    if swapped is not None:
        (group / "memory.swap.current").write_text(f"{swapped}\n")
    machine.shows(MemorySwapMax=str(4 * GIB), MemoryCurrent=str(9 * GIB), ControlGroup="/a.service")
    unit, _, *pairs = made.undo.args
    assert machine.do(made.undo.script, unit, str(group.parent), *pairs).status == status
    assert len(machine.calls) == (status == 0)


def test_throttling_is_put_back_whatever_is_used(machine: Machine) -> None:
    made = change(LimitUnit(unit=API.name, memory_high=Size(10 * GIB)), with_unit(memory_high_bytes=GIB))
    assert made.undo is not None
    machine.shows(MemoryHigh=str(10 * GIB), MemoryCurrent=str(9 * GIB), ControlGroup="/a.service")
    assert machine.undo(made.undo.script, *made.undo.args).status == 0


DOWN = msgspec.structs.replace(FAILED, memory_max_bytes=256 * MIB, memory_bytes=None)


def test_the_limit_of_a_service_that_is_down_is_raised_for_its_next_start(machine: Machine) -> None:
    raised = LimitUnit(unit=DOWN.name, memory_max=Size(384 * MIB), for_=Duration(86400))
    made = change(raised, host({"units.all": [DOWN]}))
    assert (made.risk, made.args) == (Risk.MEDIUM, (DOWN.name, "0", "4f1c", f"MemoryMax={384 * MIB}"))
    assert made.verify is not None
    assert made.verify.that == f"units.all.exists(u, u.name == target && u.memory_max_bytes >= {384 * MIB})"
    machine.shows(MainPID="0", InvocationID="4f1c")
    assert machine.do(made.script, *made.args).status == 0
    assert machine.calls == [f"set-property --no-ask-password --runtime -- report.service MemoryMax={384 * MIB}"]


@pytest.mark.parametrize(
    "limits",
    [{"memory_max": Size(200 * MIB)}, {"memory_high": Size(GIB)}, {"memory_max": Size(GIB), "swap_max": Size(1)}],
)  # fmt: skip
def test_of_a_service_that_is_down_nothing_is_lowered_and_no_new_limit_set(limits: dict[str, Size]) -> None:
    action = msgspec.convert({"unit": DOWN.name, **limits}, LimitUnit, dec_hook=lambda _, value: value)
    assert "only a limit that it has can be raised" in blocked(action, host({"units.all": [DOWN]}))
