from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import API, DENIED, FAILED, host, with_unit
from tests.unit.actions.shells import Machine

from memrunbook.actions.reclaim_cgroup import ReclaimCgroup
from memrunbook.core.action.action import Risk
from memrunbook.core.units import GIB, Size

RECLAIM = ReclaimCgroup(unit=API.name, amount=Size(GIB))
USE = Use(RECLAIM)


def test_a_quarter_of_what_a_service_holds_may_be_reclaimed() -> None:
    made = change(RECLAIM, host())
    assert made.summary == "Reclaim 1.0 GiB from search-api.service"
    assert made.args == (API.name, "812", "4f1c", "/sys/fs/cgroup/system.slice/search-api.service", str(GIB), "60")
    assert made.risk is Risk.MEDIUM
    by_group = ReclaimCgroup(cgroup="/system.slice/search-api.service", amount=Size(GIB))
    assert change(by_group, host()).digest == made.digest


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (ReclaimCgroup(amount=Size(GIB)), "not clear"),
        (ReclaimCgroup(unit=API.name, cgroup="/x", amount=Size(GIB)), "not clear"),
        (ReclaimCgroup(cgroup="/user.slice", amount=Size(GIB)), "no active service has this cgroup"),
        (ReclaimCgroup(unit=FAILED.name, amount=Size(GIB)), "not active"),
        (ReclaimCgroup(unit=API.name, amount=Size(3 * GIB)), "more than a quarter"),
    ],
)
def test_what_cannot_be_reclaimed_from(action: ReclaimCgroup, word: str) -> None:
    assert word in blocked(action, host())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"host.cgroup_version": 1}, "cgroup v2"),
        ({"host.cgroup_version": DENIED}, "cgroup_version is unknown"),
        ({"pressure.full.percent": 12.0}, "pressure"),
        ({"swap": DENIED}, "swap.free_bytes is unknown"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(RECLAIM, host(changes))


def test_units_must_be_known_to_find_a_cgroup() -> None:
    action = ReclaimCgroup(cgroup=API.cgroup, amount=Size(GIB))
    assert "units.all is unknown" in blocked(action, host({"units": DENIED}))


@pytest.mark.parametrize(
    "changes", [{"memory_bytes": None}, {"file_bytes": None}, {"cgroup": ""}, {"cgroup": "/../x.service"}]
)
def test_a_group_that_is_not_known_is_left_alone(changes: dict[str, Any]) -> None:
    assert "is unknown" in blocked(RECLAIM, with_unit(**changes))


def test_no_more_than_files_and_free_swap() -> None:
    changes = {"swap.free_bytes": 0, "units.all": with_unit(file_bytes=GIB // 2).value("units.all")}
    assert "only 512.0 MiB can be reclaimed" in blocked(RECLAIM, host(changes))


def group(folder: Path, current: str) -> Path:
    (folder / "memory.reclaim").touch()
    (folder / "memory.current").write_text(current)
    return folder


def test_a_reclaim_without_effect_is_a_failure(machine: Machine, tmp_path: Path) -> None:
    made = change(RECLAIM, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    result = machine.do(made.script, *made.args[:3], str(group(tmp_path, "8000000\n")), "1000000", "30")
    assert (result.status, "memory.current 8000000 -> 8000000" in result.text) == (1, True)
    assert (tmp_path / "memory.reclaim").read_text() == "1000000\n"


def test_half_of_the_amount_is_enough(machine: Machine, tmp_path: Path) -> None:
    made = change(RECLAIM, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    # A write to this knob changes the very file that is measured, as the kernel does.
    folder = group(tmp_path, "8000000\n")
    (folder / "memory.reclaim").unlink()
    (folder / "memory.reclaim").symlink_to(folder / "memory.current")
    result = machine.do(made.script, *made.args[:3], str(folder), "1000000", "30")
    assert (result.status, "memory.current 8000000 -> 1000000" in result.text) == (0, True)


def test_what_is_gone_is_not_reclaimed_from(machine: Machine, tmp_path: Path) -> None:
    made = change(RECLAIM, host())
    machine.shows(MainPID="812", InvocationID="4f1c")
    result = machine.do(made.script, *made.args[:3], str(tmp_path), "1000000", "30")
    assert (result.status, "5.19" in result.text) == (1, True)
    (tmp_path / "memory.reclaim").touch()
    assert machine.do(made.script, *made.args[:3], str(tmp_path), "1000000", "30").status == 3
    machine.shows(MainPID="1", InvocationID="")
    assert machine.do(made.script, *made.args).status == 3
