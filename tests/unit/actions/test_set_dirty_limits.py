from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.set_dirty_limits import SCRIPT, SCRIPT_KEPT, UNDO, UNDO_KEPT, SetDirtyLimits
from memrunbook.actions.shared.sysctl_dropin import DROPIN
from memrunbook.core.action.action import Risk
from memrunbook.core.units import GIB, MIB, Duration, Size, decode
from memrunbook.facts.sysctl_files import SysctlSetting

SIZES = SetDirtyLimits(limit=Size(512 * MIB), background=Size(64 * MIB))
PERCENT = SetDirtyLimits(limit_percent=5, background_percent=2)
VM = "/proc/sys/vm"
USE = Use(SetDirtyLimits(limit=Size(512 * MIB), background=Size(64 * MIB), for_=Duration(60)))


def test_both_limits_are_set_for_a_while() -> None:
    given = {"limit": "512 MiB", "background": "64 MiB", "for": "1h"}
    made = change(msgspec.convert(given, SetDirtyLimits, dec_hook=decode), host())
    limit, background = str(512 * MIB), str(64 * MIB)
    assert made.summary == (
        f"vm.dirty_bytes 0 -> {limit}, vm.dirty_background_bytes 0 -> {background}, back after 60 min"
    )
    assert made.args == (f"{VM}/dirty_bytes", limit, f"{VM}/dirty_background_bytes", background)
    assert made.command == f"sysctl vm.dirty_bytes={limit} vm.dirty_background_bytes={background}"
    assert (made.risk, made.back_after) == (Risk.LOW, 3600.0)
    assert made.verify is not None
    assert made.verify.that.endswith(f"memory.dirty_bytes <= {limit}")


def test_the_undo_writes_back_what_counted_before() -> None:
    made = change(SIZES, host({"sysctl.vm.dirty_background_ratio": 0, "sysctl.vm.dirty_background_bytes": MIB}))
    assert made.undo is not None
    assert made.undo.summary == f"vm.dirty_ratio back to 20 and vm.dirty_background_bytes back to {MIB}"
    assert made.undo.args == (
        *(f"{VM}/dirty_bytes", str(512 * MIB), f"{VM}/dirty_ratio", "20"),
        *(f"{VM}/dirty_background_bytes", str(64 * MIB), f"{VM}/dirty_background_bytes", str(MIB)),
    )


def test_where_both_are_zero_the_ratio_is_written_back_as_the_kernel_takes_no_size_of_zero() -> None:
    made = change(SIZES, host({"sysctl.vm.dirty_background_ratio": 0}))
    assert made.undo is not None
    assert made.undo.args[4:] == (
        *(f"{VM}/dirty_background_bytes", str(64 * MIB), f"{VM}/dirty_background_ratio", "0"),
    )


def test_percent_are_of_available_memory() -> None:
    made = change(PERCENT, host())
    assert made.args == (f"{VM}/dirty_ratio", "5", f"{VM}/dirty_background_ratio", "2")
    assert made.verify is not None
    assert made.verify.that.endswith("memory.dirty_bytes <= memory.available_bytes / 100 * 5")


def test_writers_that_will_wait_at_once_are_a_risk() -> None:
    made = change(SIZES, host({"memory.dirty_bytes": 2 * GIB}))
    assert made.risk is Risk.MEDIUM
    assert "wait at once" in made.costs
    assert "at once" not in change(SIZES, host()).costs


def test_limits_that_are_set_stay() -> None:
    assert not_needed(SetDirtyLimits(limit_percent=20, background_percent=10), host()) == (
        "vm.dirty_ratio is 20 and vm.dirty_background_ratio is 10"
    )


@pytest.mark.parametrize(
    "action",
    [
        SetDirtyLimits(),
        SetDirtyLimits(limit=Size(GIB)),
        SetDirtyLimits(background_percent=5),
        SetDirtyLimits(limit=Size(GIB), background_percent=5),
        SetDirtyLimits(limit=Size(GIB), background=Size(MIB), limit_percent=5),
    ],
)
def test_sizes_and_percent_exclude_each_other(action: SetDirtyLimits) -> None:
    assert "not clear which limits" in blocked(action, host())


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (SetDirtyLimits(limit=Size(4096), background=Size(MIB)), "4.0 KiB is not allowed for vm.dirty_bytes"),
        (SetDirtyLimits(limit=Size(GIB), background=Size(GIB)), "not below the limit of 1.0 GiB"),
        (SetDirtyLimits(limit_percent=5, background_percent=5), "not below the limit"),
        (SetDirtyLimits(limit=Size(GIB), background=Size(MIB), for_=Duration(0)), "shorter than a second"),
    ],
)
def test_values_that_are_refused(action: SetDirtyLimits, word: str) -> None:
    assert word in blocked(action, host())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sysctl": DENIED}, "sysctl.vm.dirty_ratio is unknown"),
        ({"memory": DENIED}, "memory.available_bytes is unknown"),
        ({"host.container": True}, "container"),
        ({"host.root": False}, "root"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(SIZES, host(changes))


@pytest.fixture
def knobs(tmp_path: Path) -> dict[str, Path]:
    """The four files with the values that the undo below expects of us."""
    values = {"dirty_bytes": 512, "dirty_ratio": 0, "dirty_background_bytes": 64, "dirty_background_ratio": 0}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
    return {name: tmp_path / name for name in values}


def undo_arguments(knobs: dict[str, Path]) -> list[str]:
    limit = [str(knobs["dirty_bytes"]), "512", str(knobs["dirty_ratio"]), "20"]
    return [*limit, str(knobs["dirty_background_bytes"]), "64", str(knobs["dirty_background_bytes"]), "16"]


def test_the_script_writes_both_and_looks(machine: Machine, knobs: dict[str, Path]) -> None:
    limit, background = str(knobs["dirty_bytes"]), str(knobs["dirty_background_bytes"])
    assert machine.do(SCRIPT, limit, "1024", background, "128").status == 0
    assert (knobs["dirty_bytes"].read_text(), knobs["dirty_background_bytes"].read_text()) == ("1024\n", "128\n")


def test_a_value_that_the_kernel_does_not_take_is_a_failure(machine: Machine, knobs: dict[str, Path]) -> None:
    result = machine.do(SCRIPT, str(knobs["dirty_bytes"]), "1024", "/dev/null", "128")
    assert (result.status, result.text) == (1, "/dev/null is  after 128 was written\n")
    assert machine.do(SCRIPT, "/dev/full", "1024", "/dev/null", "128").status == 1


def test_the_undo_brings_back_what_counted(machine: Machine, knobs: dict[str, Path]) -> None:
    assert machine.undo(UNDO, *undo_arguments(knobs)).status == 0
    assert (knobs["dirty_ratio"].read_text(), knobs["dirty_background_bytes"].read_text()) == ("20\n", "16\n")
    assert machine.do(UNDO, *undo_arguments(knobs)).status == 0


def test_the_undo_brings_back_a_ratio_of_zero(machine: Machine, knobs: dict[str, Path]) -> None:
    names = ("dirty_bytes", "dirty_ratio", "dirty_background_bytes", "dirty_background_ratio")
    limit, ratio, background, background_ratio = (str(knobs[name]) for name in names)
    arguments = (limit, "512", ratio, "20", background, "64", background_ratio, "0")
    assert machine.undo(UNDO, *arguments).status == 0
    knobs["dirty_background_bytes"].write_text("333\n")
    result = machine.undo(UNDO, *arguments)
    assert (result.status, "333, not 64" in result.text) == (4, True)


@pytest.mark.parametrize("changed", ["dirty_bytes", "dirty_background_bytes"])
def test_the_undo_leaves_both_alone_where_somebody_else_set_one(
    machine: Machine, knobs: dict[str, Path], changed: str
) -> None:
    knobs[changed].write_text("333\n")
    result = machine.undo(UNDO, *undo_arguments(knobs))
    assert (result.status, "333, not" in result.text) == (4, True)
    assert knobs["dirty_ratio"].read_text() == "0\n"


def test_the_undo_fails_where_it_cannot_look(machine: Machine, knobs: dict[str, Path]) -> None:
    knobs["dirty_ratio"].unlink()
    assert machine.undo(UNDO, *undo_arguments(knobs)).status == 1


KEPT = msgspec.structs.replace(PERCENT, persist=True)
RATIOS = {"sysctl.vm.dirty_ratio": 5, "sysctl.vm.dirty_background_ratio": 2}


def kept_in(path: str, **values: str) -> list[SysctlSetting]:
    return [SysctlSetting(path=path, key=f"vm.{key}", value=value) for key, value in values.items()]


def test_they_are_kept_over_a_reboot_where_that_is_asked() -> None:
    made = change(KEPT, host())
    assert made.summary.endswith("also after a reboot")
    assert made.args[4:] == (DROPIN, "vm.dirty_ratio", "vm.dirty_background_ratio")
    assert made.command.endswith(f"echo 'vm.dirty_background_ratio = 2' >> {DROPIN}")
    assert made.verify is not None
    assert "f.key == 'vm.dirty_background_ratio' && f.value == '2'" in made.verify.that
    assert made.undo is not None
    assert made.undo.args[8:] == (DROPIN, "vm.dirty_ratio", "", "vm.dirty_background_ratio", "")


def test_values_that_are_set_are_only_written_where_the_next_boot_would_lose_them() -> None:
    lost = change(KEPT, host(RATIOS))
    assert lost.summary == "vm.dirty_ratio stays 5, vm.dirty_background_ratio stays 2, also after a reboot"
    for path in (DROPIN, "/etc/sysctl.d/99-disk.conf"):
        files = {"sysctl_files.files": kept_in(path, dirty_ratio="5", dirty_background_ratio="2")}
        assert "vm.dirty_ratio is 5" in not_needed(KEPT, host({**RATIOS, **files}))
    half = {"sysctl_files.files": kept_in(DROPIN, dirty_ratio="5")}
    assert change(KEPT, host({**RATIOS, **half})).undo is not None


def test_what_sets_them_later_at_boot_is_said() -> None:
    later = {"sysctl_files.files": kept_in("/etc/sysctl.d/99-disk.conf", dirty_bytes="1")}
    assert "99-disk.conf is read later at boot" in change(KEPT, host(later)).costs


def test_what_is_kept_is_not_taken_back_by_itself() -> None:
    assert "keeps the values" in blocked(msgspec.structs.replace(KEPT, for_=Duration(60)), host())
    assert "sysctl_files.files is unknown" in blocked(KEPT, host({"sysctl_files": DENIED}))


def test_the_files_are_written_and_taken_back(machine: Machine) -> None:
    folder = machine.folder
    limit, background, dropin = folder / "dirty_ratio", folder / "dirty_background_ratio", folder / "60.conf"
    limit.write_text("20\n")
    background.write_text("10\n")
    dropin.write_text("vm.swappiness = 10\nvm.dirty_ratio = 30\n")
    keys = ("vm.dirty_ratio", "vm.dirty_background_ratio")
    assert machine.do(SCRIPT_KEPT, str(limit), "5", str(background), "2", str(dropin), *keys).status == 0
    assert (limit.read_text(), background.read_text()) == ("5\n", "2\n")
    text = dropin.read_text()
    assert "vm.swappiness = 10\n" in text
    assert "vm.dirty_ratio = 5\n" in text
    assert text.endswith("vm.dirty_background_ratio = 2\n")
    back = (str(limit), "5", str(limit), "20", str(background), "2", str(background), "10", str(dropin))
    assert machine.undo(UNDO_KEPT, *back, keys[0], "30", keys[1], "").status == 0
    assert (limit.read_text(), background.read_text()) == ("20\n", "10\n")
    text = dropin.read_text()
    assert "vm.dirty_ratio = 30\n" in text
    assert "background" not in text
    dropin.write_text("vm.dirty_ratio = 40\n")
    refused = machine.undo(UNDO_KEPT, *back, keys[0], "30", keys[1], "")
    assert (refused.status, "somebody else has changed it" in refused.text) == (4, True)


def test_what_cannot_be_set_is_not_kept(machine: Machine) -> None:
    missing = str(machine.folder / "no" / "dirty_ratio")
    keys = ("vm.dirty_ratio", "vm.dirty_background_ratio")
    dropin = machine.folder / "60.conf"
    assert machine.do(SCRIPT_KEPT, missing, "5", missing, "2", str(dropin), *keys).status == 1
    assert not dropin.exists()
