from __future__ import annotations

import signal
from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import COLD_SWAP, DENIED, host
from tests.unit.actions.swap_host import SwapHost

from memrunbook.actions.add_swap_file import SCRIPT, UNDO, AddSwapFile
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.units import GIB, MIB, Size
from memrunbook.linux.swap_size import Policy

ADD = AddSwapFile()
USE = Use(AddSwapFile(size=Size(2 * GIB)))


def with_ram(ram: int, swap: int = 0) -> Snapshot:
    return host({"memory.total_bytes": ram, "swap.total_bytes": swap})


def mib(action: AddSwapFile, snapshot: Snapshot) -> int:
    return int(change(action, snapshot).args[1])


def test_what_is_missing_is_added() -> None:
    made = change(ADD, with_ram(8046 * MIB, 2 * GIB))
    assert made.summary == "Add 6.0 GiB of swap in /swapfile-runbook, until the next boot"
    assert made.args == ("/swapfile-runbook", "6144", "10")
    assert (made.target, made.risk) == ("/swapfile-runbook", Risk.MEDIUM)
    assert made.undo is not None
    assert made.undo.args == ("/swapfile-runbook", "6144", "674")
    assert made.undo.mode == "offer"
    assert made.timeout > 674
    assert made.verify is not None
    assert made.verify.that.endswith(f"before.swap.total_bytes >= {6 * GIB - 64 * 1024}")


@pytest.mark.parametrize(("policy", "expected"), [("fixed8", 8), ("half", 128), ("min", 8), ("max", 128)])
def test_above_8_gib_of_ram_the_policy_decides(policy: Policy, expected: int) -> None:
    action = msgspec.convert({"policy": policy}, AddSwapFile)
    assert mib(action, with_ram(256 * GIB)) == expected * 1024


def test_enough_is_enough() -> None:
    assert "8.0 GiB of swap, and 8.0 GiB suit" in not_needed(ADD, host())
    assert "suit this host" in not_needed(ADD, with_ram(8 * GIB, int(7.7 * GIB)))
    assert mib(ADD, with_ram(8 * GIB, int(7.5 * GIB))) == 512


def test_a_size_is_added_to_what_there_is() -> None:
    assert mib(AddSwapFile(size=Size(3 * GIB)), host()) == 3 * 1024
    assert mib(AddSwapFile(size=Size(100 * MIB + 1)), host()) == 101
    assert mib(AddSwapFile(size=Size(16 * MIB)), host()) == 16


def test_too_little_changes_nothing() -> None:
    assert "15.0 MiB of swap change nothing" in blocked(AddSwapFile(size=Size(15 * MIB)), host())


@pytest.mark.parametrize(("ram", "most"), [(1, 2), (16, 32), (64, 64), (100, 64), (256, 128)])
def test_too_much_would_only_prolong_a_stall(ram: int, most: int) -> None:
    assert mib(AddSwapFile(size=Size((most - 1) * GIB)), with_ram(ram * GIB, GIB)) == (most - 1) * 1024
    assert f"more than {most}.0 GiB" in blocked(AddSwapFile(size=Size(most * GIB)), with_ram(ram * GIB, GIB))


def test_a_file_in_use_is_left() -> None:
    device = msgspec.structs.replace(COLD_SWAP, name="/srv/swap")
    assert not_needed(AddSwapFile(path="/srv/swap"), host({"swap.devices": [device]})) == "/srv/swap is swap already"


@pytest.mark.parametrize(
    "path",
    ["swap", "/", "/a/", "/a//b", "/srv/../swap", "/./swap", "/srv/my swap", "/srv/$(reboot)", "/srv/swap\n", "",
     "/tmp/swap", "/var/tmp/swap", "/run/swap", "/dev/sda3", "/proc/swap", "/sys/swap"],
)  # fmt: skip
def test_paths_that_are_refused(path: str) -> None:
    assert "the path must be" in blocked(AddSwapFile(path=path), with_ram(4 * GIB))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"swap": DENIED}, "swap.total_bytes is unknown"),
        ({"memory": DENIED}, "memory.total_bytes is unknown"),
        ({"host.root": False}, "root"),
        ({"host.container": True}, "container"),
        ({"host.cluster_managed": True}, "cluster manager"),
        ({"host.cluster_managed": DENIED}, "cluster_managed is unknown"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(ADD, host({"memory.total_bytes": 8 * GIB, "swap.total_bytes": 0, **changes}))


@pytest.fixture
def file(swap_host: SwapHost) -> Path:
    return swap_host.folder / "swapfile"


def new_of(file: Path) -> Path:
    """Where the file is made."""
    return file.with_name(f"{file.name}.runbook-new")


def test_the_script_makes_the_file_and_swaps_to_it(swap_host: SwapHost, file: Path) -> None:
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, result.text) == (0, "")
    assert file.stat().st_size == 2 * MIB
    assert file.stat().st_mode & 0o777 == 0o600
    assert swap_host.on() == [f"{file} 10"]
    assert swap_host.calls == [f"mkswap {file}.runbook-new", f"swapon -p 10 {file}"]
    assert not new_of(file).exists()


def test_a_file_system_that_cannot_reserve_is_written_to(swap_host: SwapHost, file: Path) -> None:
    swap_host.now("no-fallocate")
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert result.status == 0
    assert f"{file} is written in full" in result.text
    assert file.stat().st_size == file.stat().st_blocks * 512 == 2 * MIB
    assert swap_host.on() == [f"{file} 10"]


def test_a_swapon_without_priorities_does_without(swap_host: SwapHost, file: Path) -> None:
    swap_host.now("no-priority")
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 0
    assert swap_host.on() == [f"{file} -2"]


@pytest.mark.parametrize("switch", ["no-swapon", "no-mkswap"])
def test_a_failure_leaves_no_file(swap_host: SwapHost, file: Path, switch: str) -> None:
    swap_host.now(switch)
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, result.text.endswith(f"nothing was added, {file} is removed\n")) == (1, True)
    assert ("written in full" in result.text) is (switch == "no-swapon"), "a file without mkswap helps nobody"
    assert not file.exists()
    assert not new_of(file).exists()
    assert swap_host.on() == []


@pytest.mark.parametrize("tool", ["mkswap", "swapon"])
def test_without_a_tool_nothing_is_written(swap_host: SwapHost, file: Path, tool: str) -> None:
    result = swap_host.do(f'command() {{ [ "$2" != {tool} ]; }}\n{SCRIPT}', str(file), "2", "10")
    assert (result.status, result.text) == (1, f"there is no {tool} on this host: nothing was done\n")
    assert not file.exists()


def cut_off(swap_host: SwapHost, file: Path) -> None:
    """A run that ends in the middle of writing the file."""
    swap_host.now("no-fallocate")
    swap_host.now("dies")
    assert swap_host.undo(f'child() {{ ( exec "$@" ); }}\n{SCRIPT}', str(file), "2", "10").status == -signal.SIGKILL
    assert (file.exists(), new_of(file).read_text()) == (False, "half\n")
    (swap_host.folder / "dies").unlink()


def test_a_run_that_was_cut_off_is_no_obstacle_to_the_next(swap_host: SwapHost, file: Path) -> None:
    cut_off(swap_host, file)
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 0
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (2 * MIB, 0o600)
    assert swap_host.on() == [f"{file} 10"]
    assert not new_of(file).exists()


def test_the_undo_of_a_run_that_was_cut_off_removes_what_is_left(swap_host: SwapHost, file: Path) -> None:
    cut_off(swap_host, file)
    result = swap_host.undo(UNDO, str(file), "2", "30")
    assert (result.status, result.text, new_of(file).exists()) == (0, "", False)


def test_the_file_of_an_earlier_run_is_used_again(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    (swap_host.folder / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    (swap_host.folder / "statfs").write_text("ef53 4096 2621440 0\n")
    before = file.stat()
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 0
    assert swap_host.calls[2:] == [f"swapon -p 10 {file}"]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_of_our_size_that_is_no_swap_area_stays_as_it_is(swap_host: SwapHost, file: Path) -> None:
    file.write_bytes(b"mine" * (MIB // 2))
    file.chmod(0o600)
    swap_host.now("no-swapon")
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, "cannot be used as swap" in result.text) == (3, True)
    assert file.read_bytes() == b"mine" * (MIB // 2)
    file.chmod(0o644)
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, "exists already and is no swap file of 2 MiB" in result.text) == (3, True)


def test_a_file_that_exists_is_nobody_elses_to_lose(swap_host: SwapHost, file: Path) -> None:
    file.write_text("mine")
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, "exists already" in result.text) == (3, True)
    assert file.read_text() == "mine"
    assert swap_host.calls == []


def test_no_link_leads_elsewhere(swap_host: SwapHost, file: Path) -> None:
    file.symlink_to(swap_host.folder / "elsewhere")
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 3
    assert not (swap_host.folder / "elsewhere").exists()


@pytest.mark.parametrize(
    ("statfs", "word"),
    [
        ("1021994 4096 26214400 26214400", "is not on ext4 or xfs (file system type 1021994)"),
        ("9123683e 4096 26214400 26214400", "9123683e"),
        ("", "file system type unknown"),
        ("ef53 4096 2621440 262655", "1025 MiB free: 2 MiB of swap would not leave 1024 MiB"),
        ("58465342 1024 20971520 2099199", "2049 MiB free: 2 MiB of swap would not leave 2048 MiB"),
    ],
)
def test_places_that_are_refused(swap_host: SwapHost, file: Path, statfs: str, word: str) -> None:
    (swap_host.folder / "statfs").write_text(f"{statfs}\n")
    result = swap_host.do(SCRIPT, str(file), "2", "10")
    assert (result.status, word in result.text) == (1, True), result.text
    assert not file.exists()


@pytest.mark.parametrize("statfs", ["ef53 4096 2621440 262656", "58465342 1024 20971520 2099200"])
def test_just_enough_room_is_enough(swap_host: SwapHost, file: Path, statfs: str) -> None:
    (swap_host.folder / "statfs").write_text(f"{statfs}\n")
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 0


def test_a_missing_folder_is_refused(swap_host: SwapHost) -> None:
    result = swap_host.do(SCRIPT, "/not-here/swap", "2", "10")
    assert (result.status, result.text) == (1, "/not-here is no folder of root's\n")


def added(swap_host: SwapHost, file: Path) -> None:
    assert swap_host.do(SCRIPT, str(file), "2", "10").status == 0


def test_the_undo_takes_it_off_and_removes_it(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    assert swap_host.undo(UNDO, str(file), "2", "30").status == 0
    assert swap_host.on() == []
    assert not file.exists()
    assert swap_host.undo(UNDO, str(file), "2", "30").status == 0


def test_the_undo_leaves_a_file_that_the_next_boot_asks_for(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    (swap_host.folder / "etc/fstab").write_text(f"# {file}\n/dev/sda1 / ext4 defaults 0 1\n{file} none swap sw 0 0\n")
    result = swap_host.undo(UNDO, str(file), "2", "30")
    assert (result.status, "/etc/fstab names it" in result.text) == (0, True)
    assert swap_host.on() == []
    assert file.exists()


def test_the_undo_never_takes_the_last_memory(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    swap_host.available(8388608 // 10)
    assert swap_host.undo(UNDO, str(file), "2", "30").status == 4
    assert swap_host.on() == [f"{file} 10"]
    assert file.exists()


def test_the_undo_removes_nothing_that_is_still_swap(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    swap_host.now("no-swapoff")
    assert swap_host.undo(UNDO, str(file), "2", "30").status == 1
    assert file.exists()


def test_the_undo_leaves_alone_what_is_not_ours(swap_host: SwapHost, file: Path) -> None:
    added(swap_host, file)
    result = swap_host.undo(UNDO, str(file), "3", "30")
    assert (result.status, "not 3 MiB as we left it" in result.text) == (4, True)
    (swap_host.folder / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    file.write_text("somebody else's")
    result = swap_host.undo(UNDO, str(file), "2", "30")
    assert (result.status, "is not the file that we left" in result.text) == (4, True)
    assert file.exists()


ROOT = "/dev/sda1 / ext4 defaults 0 1"


def test_it_is_kept_over_a_reboot_where_that_is_asked() -> None:
    made = change(msgspec.structs.replace(ADD, persist=True), with_ram(4 * GIB))
    assert made.summary.endswith("also after a reboot")
    assert made.args[3:] == ("keep",)
    line = "/swapfile-runbook none swap sw,pri=10,nofail 0 0"
    assert made.command.endswith(f"echo '{line}' >> /etc/fstab")
    assert made.undo is not None
    assert made.undo.args[3:] == (line,)
    assert "gone after a boot" not in made.costs


@pytest.mark.parametrize("fstab", [f"{ROOT}\n", ROOT, "", None], ids=["plain", "no last newline", "empty", "missing"])
def test_the_next_boot_finds_the_file_and_the_undo_takes_the_line_out(
    swap_host: SwapHost, file: Path, fstab: str | None
) -> None:
    place, line = swap_host.folder / "etc/fstab", f"{file} none swap sw,pri=10,nofail 0 0"
    if fstab is not None:
        place.write_text(fstab)
    else:
        place.unlink(missing_ok=True)
    for _ in range(2):
        assert swap_host.do(SCRIPT, str(file), "2", "10", "keep").status == 0
    before = [ROOT] if fstab else []
    assert place.read_text().splitlines() == [*before, line]
    assert swap_host.undo(UNDO, str(file), "2", "30", line).status == 0
    assert place.read_text().splitlines() == before
    assert swap_host.on() == []
    assert not file.exists()


def test_a_line_that_somebody_changed_stays_and_so_does_the_file(swap_host: SwapHost, file: Path) -> None:
    place, line = swap_host.folder / "etc/fstab", f"{file} none swap sw,pri=10,nofail 0 0"
    assert swap_host.do(SCRIPT, str(file), "2", "10", "keep").status == 0
    place.write_text(f"{file} none swap sw 0 0\n")
    result = swap_host.undo(UNDO, str(file), "2", "30", line)
    assert (result.status, "/etc/fstab names it" in result.text) == (0, True)
    assert file.exists()


def test_where_the_line_cannot_be_written_that_is_said(swap_host: SwapHost, file: Path) -> None:
    place, line = swap_host.folder / "etc/fstab", f"{file} none swap sw,pri=10,nofail 0 0"
    blocker = swap_host.folder / "etc/fstab.runbook-new"
    blocker.mkdir()
    result = swap_host.do(SCRIPT, str(file), "2", "10", "keep")
    assert (result.status, "the next boot goes without it" in result.text) == (1, True)
    assert swap_host.on() == [f"{file} 10"]
    place.write_text(f"{line}\n")
    result = swap_host.undo(UNDO, str(file), "2", "30", line)
    assert (result.status, "still names the swap file" in result.text) == (1, True)
