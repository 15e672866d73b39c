from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.actions.decisions import Use, blocked, change
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.capture_evidence import SCRIPT, CaptureEvidence
from memrunbook.core.action.action import Repeat, Risk
from memrunbook.core.units import Duration

USE = Use(CaptureEvidence())


def test_evidence_needs_no_gate_and_no_root() -> None:
    made = change(CaptureEvidence(), host({"host": DENIED, "memory": DENIED}))
    assert made.summary == "Save the evidence, within 10 s"
    assert (made.risk, made.repeat, made.evidence) == (Risk.NONE, Repeat.READ, True)
    assert (made.args, made.timeout) == (("10", "5", "200"), 30.0)
    assert made.verify is None


def test_it_needs_a_process_and_time() -> None:
    assert "fork" in blocked(CaptureEvidence(), host(fork_ok=False))
    assert "shorter than a second" in blocked(CaptureEvidence(budget=Duration(0.5)), host())


def test_the_script_gathers_from_this_machine(machine: Machine) -> None:
    result = machine.do(SCRIPT, "30", "1", "20")
    assert result.status == 0
    for piece in ("== memory\n", "MemAvailable:", "pgmajfault", "== parameters\n", "/proc/sys/vm/swappiness:"):
        assert piece in result.text
    assert result.text.startswith("== kernel log, last 20 lines\n"), "it matters most and is overwritten soonest"
    assert "== processes by memory\n/proc/" in result.text
    assert "== the 1 largest control groups and processes\n" in result.text
    assert "VmRSS:" in result.text


def test_without_suspects_nobody_is_looked_at(machine: Machine) -> None:
    assert "largest control groups" not in machine.do(SCRIPT, "30", "0", "0").text


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """Three services; ours holds less than another one, whose processes are gone."""
    for name, anonymous, pid in (("a.service", 5, 0), ("own.service", 700, os.getpid()), ("x\\x2dy.service", 900, 0)):
        folder = tmp_path / "groups" / "system.slice" / name
        folder.mkdir(parents=True)
        (folder / "memory.stat").write_text(f"anon {anonymous}\nfile 1\n")
        (folder / "memory.events").write_text(f"oom_kill {anonymous}\n")
        (folder / "cgroup.procs").write_text(f"{pid}\n")
    (tmp_path / "groups" / "cgroup.controllers").write_text("memory\n")
    return tmp_path / "groups"


def calm(script: str, tmp_path: Path) -> str:
    """The script on a host that does not stall, whatever this one does."""
    (tmp_path / "pressure").write_text("full avg10=0.00 avg60=0.00\n")
    return script.replace("</proc/pressure/memory", f"<{tmp_path}/pressure")


def test_the_largest_groups_and_a_process_of_the_first_are_looked_at(machine: Machine, groups: Path) -> None:
    (groups / "system.slice" / "x\\x2dy.service" / "memory.stat").write_text("anon 6\n")
    script = calm(SCRIPT, groups.parent).replace("/sys/fs/cgroup", str(groups))
    text = machine.do(script, "30", "2", "0").text
    assert f"==> {groups}/system.slice/own.service/memory.stat <==\nanon 700\n" in text
    assert f"==> {groups}/system.slice/x\\x2dy.service/memory.events <==\noom_kill 900\n" in text
    assert "a.service" not in text.partition("== the 2 largest control groups")[2].replace("own.service", "")
    first = text.partition("== process ")[2]
    assert first.startswith(f"{os.getpid()}\n")
    assert f"== open files of {os.getpid()}\n" in first
    assert "Pss:" in first.partition(f"== memory of {os.getpid()}\n")[2]
    assert f"==> /proc/{os.getpid()}/maps <==" in first
    assert text.count("\n== process ") == 2


def test_a_process_that_does_not_answer_is_left_after_two_seconds(machine: Machine) -> None:
    functions = SCRIPT.rpartition("act ")[0]
    result = machine.do(functions + "evidence_soon sleep 60")
    assert result.status != 0


def test_a_host_that_stalls_is_spared(machine: Machine, groups: Path) -> None:
    script = calm(SCRIPT, groups.parent)
    (groups.parent / "pressure").write_text("full avg10=35.00 avg60=0.00\n")
    text = machine.do(script, "30", "1", "0").text
    assert "left out, it is not known that the host does not stall" in text
    assert "Pss:" not in text


def test_mappings_and_open_files_are_bounded(machine: Machine, tmp_path: Path) -> None:
    tree = tmp_path / "proc" / "7"
    (tree / "fd").mkdir(parents=True)
    for name in ("status", "oom_score", "oom_score_adj", "cgroup", "smaps_rollup"):
        (tree / name).write_text("Name: x\n")
    (tree / "maps").write_text("7f00-7f01 rw-p\n" * 100_000)
    for number in range(900):
        (tree / "fd" / f"{number:0100}").touch()
    functions = calm(SCRIPT.rpartition("act ")[0], tmp_path)
    text = machine.do(functions.replace("/proc/$1", f"{tmp_path}/proc/$1") + "evidence_process 7").text
    files, _, mappings = text.partition("== memory of 7\n")
    assert 20_000 < len(files) < 25_000
    assert 90_000 < len(mappings) < 97_000


def test_no_section_begins_after_the_budget(machine: Machine) -> None:
    result = machine.do(SCRIPT, "0", "3", "20")
    assert result.status == 0
    assert "== memory: left out, the time is used up\n" in result.text
    assert "MemAvailable" not in result.text


@pytest.mark.parametrize(
    ("full", "calm"),
    [("full avg10=19.99 avg60=0.00", True), ("full avg10=20.00 avg60=0.00", False), ("", False), ("full x", False)],
)
def test_only_a_host_that_is_known_to_be_calm_is(machine: Machine, tmp_path: Path, full: str, calm: object) -> None:
    pressure = tmp_path / "pressure"
    pressure.write_text(f"some avg10=0.00 avg60=1.00\n{full}\n")
    functions = SCRIPT.rpartition("act ")[0].replace("/proc/pressure/memory\n", '"$1"\n')
    assert (machine.do(functions + 'evidence_calm "$1"', str(pressure)).status == 0) is calm
    assert machine.do(functions + 'evidence_calm "$1"', str(tmp_path / "none")).status != 0
