from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.actions.decisions import blocked, change
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.capture_evidence import SCRIPT, CaptureEvidence
from memrunbook.core.action import Effect, Risk
from memrunbook.core.units import Duration


def test_evidence_needs_no_gate_and_no_root() -> None:
    made = change(CaptureEvidence(), host({"host": DENIED, "memory": DENIED}))
    assert made.summary == "Save the evidence, within 10 s"
    assert (made.risk, made.effect, made.evidence) == (Risk.NONE, Effect.READ, True)
    assert (made.args, made.timeout) == (("10", "3", "200"), 30.0)
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
    ("full", "calm"),
    [("full avg10=19.99 avg60=0.00", True), ("full avg10=20.00 avg60=0.00", False), ("", False), ("full x", False)],
)
def test_only_a_host_that_is_known_to_be_calm_is(machine: Machine, tmp_path: Path, full: str, calm: object) -> None:
    pressure = tmp_path / "pressure"
    pressure.write_text(f"some avg10=0.00 avg60=1.00\n{full}\n")
    functions = SCRIPT.rpartition("act ")[0].replace("/proc/pressure/memory\n", '"$1"\n')
    assert (machine.do(functions + 'evidence_calm "$1"', str(pressure)).status == 0) is calm
    assert machine.do(functions + 'evidence_calm "$1"', str(tmp_path / "none")).status != 0
