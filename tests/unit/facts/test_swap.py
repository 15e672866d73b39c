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
    found = {line.partition(" ")[2] for line in out.stdout.splitlines()}
    disks = {path.parent.parent.name for path in Path("/sys/block").glob("*/queue/rotational")}
    assert disks <= found
    assert out.stderr == ""
