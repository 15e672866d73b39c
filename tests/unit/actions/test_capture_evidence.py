from __future__ import annotations

import os
from pathlib import Path

import pytest

from memrunbook.actions.capture_evidence import SCRIPT, CaptureEvidence
from memrunbook.core.action import Effect, Risk
from memrunbook.core.units import Duration
from tests.unit.actions.decisions import blocked, change
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine


def test_evidence_needs_no_gate_and_no_root() -> None:
    made = change(CaptureEvidence(), host({"host": DENIED, "memory": DENIED}))
    assert made.summary == "Save the evidence, within 10 s"
    assert (made.risk, made.effect, made.evidence) == (Risk.NONE, Effect.READ, True)
    assert (made.args, made.timeout) == (("10", "3", "300"), 30.0)
    assert made.verify is None


def test_it_needs_a_process_and_time() -> None:
    assert "fork" in blocked(CaptureEvidence(), host(fork_ok=False))
    assert "shorter than a second" in blocked(CaptureEvidence(budget=Duration(0.5)), host())


def test_the_script_gathers_from_this_machine(machine: Machine) -> None:
    result = machine.do(SCRIPT, "30", "1", "20")
    assert result.status == 0
    for piece in ("== memory\n", "MemAvailable:", "pgmajfault", "== parameters\n", "/proc/sys/vm/swappiness:"):
        assert piece in result.text
    assert "== kernel log, last 20 lines\n" in result.text
    assert "== processes by RssAnon\n/proc/" in result.text
    assert "== the 1 largest processes\n==> /proc/" in result.text
    assert "VmRSS:" in result.text


def test_without_suspects_nobody_is_looked_at(machine: Machine) -> None:
    assert "largest processes" not in machine.do(SCRIPT, "30", "0", "0").text


def test_no_section_begins_after_the_budget(machine: Machine) -> None:
    result = machine.do(SCRIPT, "0", "3", "20")
    assert result.status == 0
    assert "== memory: left out, the time is used up\n" in result.text
    assert "MemAvailable" not in result.text


@pytest.mark.parametrize(
    ("full", "read"), [("full avg10=19.99 avg60=0.00", True), ("full avg10=20.00 avg60=0.00", False), ("", False)]
)
def test_smaps_is_read_only_on_a_host_that_is_known_to_be_calm(
    machine: Machine, tmp_path: Path, full: str, read: object
) -> None:
    pressure = tmp_path / "pressure"
    pressure.write_text(f"some avg10=90.00 avg60=1.00\n{full}\n")
    script = SCRIPT.replace("/proc/pressure/memory\n", f"{pressure}\n")
    result = machine.do(script, "30", "1", "0")
    readable = os.access("/proc/1/smaps_rollup", os.R_OK)
    assert ("smaps" in result.text or "Pss:" in result.text) is (bool(read) and ("Pss:" in result.text or not readable))
