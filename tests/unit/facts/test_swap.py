from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts import swap
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.swap import SwapReading

SHELLS = [words for words in (["sh"], ["dash"], ["busybox", "sh"], ["bash"]) if shutil.which(words[0])]


def read(swaps: str, disks: str = "") -> Reading | Unavailable:
    info = "SwapTotal: 100 kB\nSwapFree: 25 kB\n"
    answers = {MEMINFO: Answer(info), swap.SWAPS: Answer(swaps), swap.DISKS: Answer(disks)}
    return swap.parse((Sample(0, 0, answers),), {})


def test_escaped_names_are_read_and_stay_plain_text() -> None:
    reading = read("/mnt/$(reboot)\\040\\012[/bold]\\134 file 100 75 -2\n")
    assert isinstance(reading, SwapReading)
    assert [device.name for device in reading.devices] == ["/mnt/$(reboot) \n[/bold]\\"]
    assert not reading.zram_only


@pytest.mark.parametrize(
    "row", ["sda2 partition 1 1 1", "/dev/sda2 partition 1 1", "/dev/sda2 partition 1 1 x", "/a disk 1 1 1"]
)
def test_a_row_that_is_none_is_left_out(row: str) -> None:
    reading = read(f"{row}\n/dev/zram0 partition 100 75 100\n")
    assert isinstance(reading, SwapReading)
    assert [device.name for device in reading.devices] == ["/dev/zram0"]
    assert reading.zram_only


def test_more_free_than_there_is_counts_as_unused() -> None:
    answers = {MEMINFO: Answer("SwapTotal: 100 kB\nSwapFree: 120 kB\n")}
    reading = swap.parse((Sample(0, 0, answers),), {})
    assert isinstance(reading, SwapReading)
    assert reading.used_bytes == 0


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_walks_the_disks_of_this_machine(shell: list[str]) -> None:
    out = subprocess.run([*shell, "-s"], input=swap.SCRIPT, capture_output=True, text=True, check=False, timeout=30)
    found = {line.split(" ")[1] for line in out.stdout.splitlines()}
    disks = {path.parent.parent.name for path in Path("/sys/block").glob("*/queue/rotational")}
    assert disks <= found
    assert out.stderr == ""


DISKS = "0 sda 8:0\n0 sda1 8:1\n1 sdb 8:16\n1 sdb1 8:17\n1 dm-0 253:0\n1 vda 254:0\n"


@pytest.mark.parametrize(
    ("mounts", "turns"),
    [
        ("mount 8:1 /dev/sda1 /\n", "no"),
        ("mount 8:1 /dev/sda1 /\nmount 8:17 /dev/sdb1 /srv\n", "yes"),
        ("mount 8:17 /dev/sdb1 /\nmount 8:1 /dev/sda1 /srv/swap\nmount 8:17 /dev/sdb1 /srv\n", "no"),
        ("mount 8:17 /dev/sdb1 /srv\nmount 8:1 /dev/sda1 /srv\n", "no"),
        ("mount 253:0 /dev/mapper/vg-root /\n", "yes"),
        ("mount 0:31 /dev/sdb1 /\n", "yes"),
        ("mount 254:0 /dev/vda /\n", "unknown"),
        ("mount 8:1 /dev/sda1 /sr\n", "unknown"),
        ("mount 0:50 overlay /\n", "unknown"),
        ("mount\nmount 8:1\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_swap_file_turns_with_the_disk_that_it_lies_on(mounts: str, turns: str) -> None:
    reading = read("/srv/swap/one file 100 75 -2\n", DISKS + mounts)
    assert isinstance(reading, SwapReading)
    assert reading.devices[0].rotational == turns


def test_disks_that_an_older_recording_names_without_their_number_are_read() -> None:
    reading = read("/dev/sda2 partition 100 75 -2\n", "1 sda\n1 sda2\n")
    assert isinstance(reading, SwapReading)
    assert reading.devices[0].rotational == "yes"


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_finds_the_mounts_of_a_swap_file(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n/srv/swap/one file 100 75 -2\n")
    (tmp_path / "mountinfo").write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 8:17 / /srv rw master:3 - xfs /dev/sdb1 rw,attr2\n"
        "31 22 0:5 / /sr rw - tmpfs tmpfs rw\n"
    )
    script = swap.SCRIPT.replace("/proc/swaps", f"{tmp_path}/swaps")
    script = script.replace("/proc/self/mountinfo", f"{tmp_path}/mountinfo")
    out = subprocess.run([*shell, "-s"], input=script, capture_output=True, text=True, check=False, timeout=30)
    found = [line for line in out.stdout.splitlines() if line.startswith("mount")]
    assert found == ["mount 8:1 /dev/sda1 /", "mount 8:17 /dev/sdb1 /srv"]
    assert out.stderr == ""
