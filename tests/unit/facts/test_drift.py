"""Parameters that run otherwise than the host's files say."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook.core.reading.fact import Sample, Unavailable
from memrunbook.facts.drift import DriftReading, parse
from memrunbook.facts.holds import Hold, Holds
from memrunbook.facts.sysctl import KernelSysctls, SysctlReading, VmSysctls
from memrunbook.facts.sysctl_files import LAST, SysctlFilesReading, SysctlSetting

SAMPLES = (Sample(1.0, 1.0, {}),)
A, B = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf"
RUNNING = {"swappiness": 60, "dirty_ratio": 20, "dirty_bytes": 0, "overcommit_ratio": 0, "overcommit_kbytes": 4096}
CASES: dict[str, tuple[list[tuple[str, str, str]], list[tuple[str, int, int, str]]]] = {
    "nothing is set": ([], []),
    "it runs as set": ([(A, "vm.swappiness", "60")], []),
    "changed by hand": ([(A, "vm.swappiness", "10")], [("vm.swappiness", 60, 10, A)]),
    "the last file counts": ([(A, "vm.swappiness", "60"), (B, "vm.swappiness", "1")], [("vm.swappiness", 60, 1, B)]),
    "the last file agrees": ([(A, "vm.swappiness", "1"), (B, "vm.swappiness", "60")], []),
    "whichever read sysctl.conf": ([(A, "vm.swappiness", "60"), (LAST, "vm.swappiness", "1")], []),
    "sysctl.conf alone": ([(LAST, "vm.swappiness", "1")], [("vm.swappiness", 60, 1, LAST)]),
    "neither of both": (
        [(A, "vm.swappiness", "2"), (LAST, "vm.swappiness", "1")], [("vm.swappiness", 60, 1, LAST)],
    ),
    "a size instead of a share": ([(A, "vm.dirty_ratio", "40"), (B, "vm.dirty_bytes", "4096")],
                                  [("vm.dirty_bytes", 0, 4096, B)]),
    "a share that a size replaced": ([(A, "vm.overcommit_ratio", "50"), (B, "vm.overcommit_kbytes", "4096")], []),
    "a size of 0 replaces nothing": ([(A, "vm.dirty_ratio", "40"), (B, "vm.dirty_bytes", "0")],
                                     [("vm.dirty_ratio", 20, 40, A)]),
    "what is no number": ([(A, "vm.swappiness", "many")], []),
    "what this kernel does not have": ([(A, "vm.laptop_mode", "5")], []),
    "what nobody reads": ([(A, "vm.lowmem_reserve_ratio", "256 32")], []),
}  # fmt: skip


def drift(files: object, held: str = "", sysctl: object = None) -> DriftReading | Unavailable:
    readings: dict[str, Any] = {
        "sysctl": sysctl or SysctlReading(vm=VmSysctls(**RUNNING), kernel=KernelSysctls()),
        "sysctl_files": files,
        "holds": Holds(all=[Hold(name=held, kind="changed")] if held else []),
    }
    return parse(SAMPLES, readings)


def written(*settings: tuple[str, str, str]) -> SysctlFilesReading:
    return SysctlFilesReading(files=[SysctlSetting(path=path, key=key, value=value) for path, key, value in settings])


@pytest.mark.parametrize(("settings", "expected"), CASES.values(), ids=CASES)
def test_what_runs_otherwise_than_set(
    settings: list[tuple[str, str, str]], expected: list[tuple[str, int, int, str]]
) -> None:
    found = drift(written(*settings))
    assert isinstance(found, DriftReading)
    assert [(one.name, one.running, one.configured, one.path) for one in found.parameters or ()] == expected


def test_what_a_run_changed_for_a_while_has_not_drifted() -> None:
    found = drift(written((A, "vm.swappiness", "10")), held="vm.swappiness")
    assert isinstance(found, DriftReading)
    assert found.parameters == []


def test_what_is_not_known_is_no_drift() -> None:
    denied = Unavailable("denied", "permission denied")
    assert drift(denied) == denied
    assert drift(written(), sysctl=denied) == denied
    found = drift(SysctlFilesReading(unavailable={"files": denied}))
    assert isinstance(found, DriftReading)
    assert (found.parameters, found.unavailable) == (None, {"parameters": denied})
    for nothing in (drift(None), parse(SAMPLES, {})):
        assert isinstance(nothing, Unavailable)
        assert nothing.reason == "failed"
