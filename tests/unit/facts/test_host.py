from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Unavailable
from memrunbook.core.reading.probe import build_probe, read_sample
from memrunbook.facts import host

SHELLS = [words for words in (["sh"], ["dash"], ["busybox", "sh"], ["bash"]) if shutil.which(words[0])]


def read(status: str, statm: str) -> host.HostReading:
    answers = {host.STATUS: Answer(status), host.STATM: Answer(statm), host.WALK: Answer("")}
    return host.parse((Sample(5.0, 6.0, answers),), {})


@pytest.mark.parametrize("kib", [4, 16, 64])
def test_the_page_size_is_deduced_though_the_shell_grows_between_the_reads(kib: int) -> None:
    status = f"VmSize:\t{660 * kib} kB\nVmRSS:\t{1} kB\n"
    assert read(status, "648 400 0 0 0 0 0").page_size_bytes == kib * 1024


def test_the_resident_size_serves_where_the_virtual_one_is_missing() -> None:
    assert read("VmRSS:\t6400 kB\n", "648 100 0 0 0 0 0").page_size_bytes == 65536


@pytest.mark.parametrize(
    ("status", "statm"), [("", "648 400"), ("VmSize: 4 kB", ""), ("VmSize: 4 kB", "0 0"), ("", "x")]
)
def test_an_unknown_page_size_is_never_4096(status: str, statm: str) -> None:
    reading = read(status, statm)
    assert reading.page_size_bytes is None
    assert host.page_size({"host": reading}) is None


def test_a_host_that_was_not_read_has_no_page_size() -> None:
    assert host.page_size({}) is None
    assert host.page_size({"host": Unavailable("timeout", "30 s")}) is None


def test_the_machine_id_itself_is_not_kept() -> None:
    answers = {host.MACHINE_ID: Answer("0" * 32 + "\n")}
    machine_id = host.parse((Sample(0, 0, answers),), {}).machine_id
    assert machine_id == "84e0c0eafaa95a34c293f278ac52e45c"


def ancestors(pid: int) -> list[int]:
    """The process and those above it."""
    if not pid:
        return []
    stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return [pid, *ancestors(int(stat.rpartition(")")[2].split()[1]))][: host.MOST_ANCESTORS - 1]


def test_damaged_pids_are_passed_over() -> None:
    answers = {host.WALK: Answer("own 12\nown x\nown 99999999999999999999\nown 1\n")}
    assert host.parse((Sample(0, 0, answers),), {}).own_pids == [12, 1]


def test_an_empty_machine_id_is_none() -> None:
    assert host.parse((Sample(0, 0, {host.MACHINE_ID: Answer("\n")}),), {}).machine_id is None


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_reads_this_machine(shell: list[str]) -> None:
    """Built-ins only: the script also works where no program can be started."""
    probe = build_probe(host.FACT.asks, repeat=False)
    out = subprocess.run(
        [*shell, "-s", "case"],
        input=probe,
        capture_output=True,
        text=True,
        env={"PATH": "/nowhere"},
        check=False,
        timeout=30,
        executable=shutil.which(shell[0]),
    )
    reading = host.parse((read_sample(out.stdout, "case"),), {})
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    page = subprocess.run(["getconf", "PAGESIZE"], capture_output=True, text=True, check=True).stdout
    assert reading.kernel == kernel
    assert reading.page_size_bytes == int(page)
    assert reading.boot_id is not None
    assert len(reading.boot_id) == 36
    assert reading.unavailable.keys() <= {"machine_id"}
    assert reading.own_unit is not None
    assert reading.own_pids is not None
    assert os.getpid() in reading.own_pids[1:]
    assert reading.own_pids[1:] == ancestors(reading.own_pids[1])
