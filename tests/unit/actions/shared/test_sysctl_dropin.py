from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from tests.unit.actions.decisions import blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.set_sysctl import SCRIPT_KEPT, UNDO_KEPT, SetSysctl
from memrunbook.actions.shared.sysctl_dropin import DROPIN
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, Duration
from memrunbook.facts.sysctl_files import SysctlSetting

KEEP = SetSysctl(key="vm.swappiness", value=10, persist=True)


def with_files(*settings: tuple[str, str, str], **changes: object) -> Snapshot:
    files = [SysctlSetting(path=path, key=key, value=value) for path, key, value in settings]
    return host({"sysctl_files.files": files, **{f"sysctl.vm.{name}": value for name, value in changes.items()}})


def test_a_value_is_kept_after_a_reboot() -> None:
    made = change(KEEP, host())
    assert made.summary == "vm.swappiness 60 -> 10, also after a reboot"
    assert made.command == f"sysctl vm.swappiness=10; echo 'vm.swappiness = 10' >> {DROPIN}"
    assert made.args == ("/proc/sys/vm/swappiness", "10", DROPIN, "vm.swappiness")
    assert made.risk is Risk.LOW
    assert made.undo is not None
    assert made.undo.args == (*made.args[:2], "/proc/sys/vm/swappiness", "60", DROPIN, "vm.swappiness", "")
    assert made.verify is not None
    assert f"f.path == '{DROPIN}' && f.key == 'vm.swappiness' && f.value == '10'" in made.verify.that


def test_a_file_has_the_kernels_own_spelling() -> None:
    made = change(SetSysctl(key="vm.page_cluster", value=0, persist=True), host())
    assert made.args[3] == "vm.page-cluster"
    assert "f.key == 'vm.page_cluster'" in (made.verify.that if made.verify else "")


def test_what_our_file_kept_before_is_put_back() -> None:
    made = change(KEEP, with_files((DROPIN, "vm.swappiness", "30"), ("/etc/sysctl.conf", "vm.swappiness", "1")))
    assert made.undo is not None
    assert made.undo.args[-1] == "30"


def test_a_value_that_only_the_next_boot_would_lose_is_written_down() -> None:
    made = change(KEEP, with_files(swappiness=10))
    assert made.summary == "vm.swappiness stays 10 after a reboot"
    raised = SetSysctl(key="vm.max_map_count", value=262144, persist=True)
    assert change(raised, with_files(max_map_count=262144)).risk is Risk.LOW


@pytest.mark.parametrize("path", [DROPIN, "/etc/sysctl.conf", "/usr/lib/sysctl.d/10-vendor.conf"])
def test_a_value_that_a_file_keeps_needs_nothing(path: str) -> None:
    assert not_needed(KEEP, with_files((path, "vm.swappiness", "10"), swappiness=10)) == "vm.swappiness is 10"


def test_what_another_file_sets_later_does_not_count_as_kept() -> None:
    files = (("/etc/sysctl.d/50-x.conf", "vm.swappiness", "10"), ("/etc/sysctl.d/99-x.conf", "vm.swappiness", "60"))
    assert "stays 10" in change(KEEP, with_files(*files, swappiness=10)).summary


def test_a_twin_that_is_set_later_does_not_count_as_kept() -> None:
    files = (("/etc/sysctl.d/50-x.conf", "vm.dirty_ratio", "20"), ("/etc/sysctl.d/99-x.conf", "vm.dirty_bytes", "9"))
    action = SetSysctl(key="vm.dirty_ratio", value=20, persist=True)
    assert "stays 20" in change(action, with_files(*files)).summary
    assert not_needed(action, with_files(*files[:1])) == "vm.dirty_ratio is 20"


@pytest.mark.parametrize(
    ("setting", "warning"),
    [
        (("/etc/sysctl.d/99-x.conf", "vm.swappiness", "60"), "99-x.conf is read later at boot and sets vm.swappiness"),
        (("/etc/sysctl.conf", "vm.swappiness", "60"), "/etc/sysctl.conf is read later"),
        (("/etc/sysctl.d/99-x.conf", "vm.swappiness", "10"), ""),
        (("/etc/sysctl.d/99-x.conf", "vm.dirty_ratio", "60"), ""),
        (("/usr/lib/sysctl.d/50-x.conf", "vm.swappiness", "60"), ""),
        ((DROPIN, "vm.swappiness", "60"), ""),
    ],
)
def test_a_file_that_wins_over_ours_is_said(setting: tuple[str, str, str], warning: str) -> None:
    costs = change(KEEP, with_files(setting)).costs
    assert warning in costs
    assert ("read later" in costs) == bool(warning)


def test_the_twin_in_a_later_file_is_said() -> None:
    action = SetSysctl(key="vm.dirty_ratio", value=30, persist=True)
    costs = change(action, with_files(("/run/sysctl.d/70-x.conf", "vm.dirty_bytes", str(GIB)))).costs
    assert f"/run/sysctl.d/70-x.conf is read later at boot and sets vm.dirty_bytes = {GIB}" in costs


def test_tuned_may_set_it_again() -> None:
    assert "tuned runs here" in change(KEEP, host({"host.remediators": ["tuned"]})).costs
    assert "tuned" not in change(KEEP, host({"host.remediators": DENIED})).costs
    assert "tuned" not in change(KEEP, host({"host.remediators": ["earlyoom"]})).costs


def test_what_files_say_must_be_known() -> None:
    assert "sysctl_files.files is unknown" in blocked(KEEP, host({"sysctl_files": DENIED}))
    without = SetSysctl(key="vm.swappiness", value=10)
    assert change(without, host({"sysctl_files": DENIED})).args == ("/proc/sys/vm/swappiness", "10")


def test_for_a_while_and_for_good_exclude_each_other() -> None:
    action = SetSysctl(key="vm.swappiness", value=10, persist=True, for_=Duration(60))
    assert "`persist` keeps the value" in blocked(action, host())


def test_strict_overcommit_comes_back_only_by_a_persons_will() -> None:
    strict = {"sysctl.vm.overcommit_memory": 2, "sysctl.vm.admin_reserve_kbytes": 131072}
    undo = change(SetSysctl(key="vm.overcommit_memory", value=0, persist=True), host(strict)).undo
    assert undo is not None
    assert undo.mode == "offer"


@pytest.fixture
def knob(tmp_path: Path) -> Path:
    """A kernel parameter, 60 by now."""
    path = tmp_path / "swappiness"
    path.write_text("60\n")
    return path


@pytest.fixture
def dropin(tmp_path: Path) -> Path:
    return tmp_path / "60-runbook-memory.conf"


def keep(machine: Machine, knob: Path, dropin: Path) -> int:
    """The status of the script in a shell that, like the session's, gives nobody else access to its files."""
    return machine.do(f"umask 077\n{SCRIPT_KEPT}", str(knob), "10", str(dropin), "vm.swappiness").status


def undo(machine: Machine, knob: Path, dropin: Path, kept: str = "") -> tuple[int, str]:
    back = (str(knob), "10", str(knob), "60", str(dropin), "vm.swappiness", kept)
    result = machine.undo(UNDO_KEPT, *back)
    return result.status, result.text


NEW = r"""# Kernel parameters that runbook was told to keep\.
# vm\.swappiness: written by runbook at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ
vm\.swappiness = 10
"""
OTHERS = "# ours\n\n; mine\nvm.dirty_ratio = 10\nvm.swappiness_of_ours=1\n"


def test_a_new_file_is_written_and_removed_again(machine: Machine, knob: Path, dropin: Path) -> None:
    assert keep(machine, knob, dropin) == 0
    assert knob.read_text() == "10\n"
    assert re.fullmatch(NEW, dropin.read_text())
    assert stat.S_IMODE(dropin.stat().st_mode) == 0o644
    assert undo(machine, knob, dropin) == (0, "")
    assert knob.read_text() == "60\n"
    assert [path.name for path in dropin.parent.glob("*.conf*")] == []
    assert undo(machine, knob, dropin) == (0, "")


def test_the_settings_of_others_stay_as_they_are(machine: Machine, knob: Path, dropin: Path) -> None:
    dropin.write_text(OTHERS.removesuffix("\n"))
    assert keep(machine, knob, dropin) == 0
    assert re.fullmatch(re.escape(OTHERS) + NEW.partition("\n")[2], dropin.read_text())
    assert undo(machine, knob, dropin) == (0, "")
    assert dropin.read_text() == OTHERS


@pytest.mark.parametrize("line", ["vm.swappiness=30", "vm.swappiness = 30", "vm.swappiness\t= 30"])
def test_an_earlier_value_of_ours_is_replaced_and_put_back(
    machine: Machine, knob: Path, dropin: Path, line: str
) -> None:
    dropin.write_text(f"# vm.swappiness: written by runbook at some time\n{line}\n")
    assert keep(machine, knob, dropin) == 0
    assert re.fullmatch(NEW, dropin.read_text())
    assert undo(machine, knob, dropin, kept="30") == (0, "")
    assert re.fullmatch(NEW.replace("10", "30"), dropin.read_text())
    assert undo(machine, knob, dropin, kept="30") == (0, "")


def test_a_file_that_says_so_already_is_not_touched(machine: Machine, knob: Path, dropin: Path) -> None:
    dropin.write_text("vm.swappiness=10\n")
    assert keep(machine, knob, dropin) == 0
    assert dropin.read_text() == "vm.swappiness=10\n"
    assert undo(machine, knob, dropin, kept="10") == (0, "")
    assert (dropin.read_text(), knob.read_text()) == ("vm.swappiness=10\n", "60\n")


def test_the_undo_leaves_alone_what_somebody_else_has_written(machine: Machine, knob: Path, dropin: Path) -> None:
    assert keep(machine, knob, dropin) == 0
    theirs = dropin.read_text()
    knob.write_text("30\n")
    assert undo(machine, knob, dropin)[0] == 4
    assert dropin.read_text() == theirs
    knob.write_text("10\n")
    dropin.write_text("vm.swappiness = 30\n")
    status, text = undo(machine, knob, dropin)
    assert (status, "sets vm.swappiness to 30" in text) == (4, True)
    assert knob.read_text() == "10\n"


def test_a_value_that_the_kernel_refuses_is_not_kept(machine: Machine, dropin: Path) -> None:
    assert keep(machine, Path("/dev/full"), dropin) == 1
    assert not dropin.exists()


def test_a_file_that_cannot_be_written_is_a_failure_that_is_taken_back(
    machine: Machine, knob: Path, dropin: Path
) -> None:
    nowhere = dropin.parent / "none" / dropin.name
    result = machine.do(SCRIPT_KEPT, str(knob), "10", str(nowhere), "vm.swappiness")
    assert (result.status, "could not be written" in result.text) == (1, True)
    assert undo(machine, knob, nowhere) == (0, "")
    assert knob.read_text() == "60\n"
