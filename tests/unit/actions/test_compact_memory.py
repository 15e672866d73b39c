from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import DENIED, host
from tests.unit.actions.shells import Machine

from memrunbook.actions.compact_memory import CompactMemory
from memrunbook.core.action.action import Risk
from memrunbook.core.units import GIB

COMPACT = CompactMemory()
USE = Use(CompactMemory(order=9))


def test_a_fragmented_host_is_compacted_and_must_become_better() -> None:
    made = change(COMPACT, host())
    assert made.summary == "Compact memory for blocks of order 3"
    assert made.args == ("/proc/sys/vm/compact_memory", "300")
    assert made.risk is Risk.LOW
    assert made.verify is not None
    assert "buddy.unusable[3] <= before.buddy.unusable[3] - 0.2" in made.verify.that


@pytest.mark.parametrize("changes", [{"memory.total_bytes": 128 * GIB}, {"host.database": True}])
def test_large_hosts_and_databases_notice_it(changes: dict[str, object]) -> None:
    assert change(COMPACT, host(changes)).risk is Risk.MEDIUM


def test_usable_memory_is_left_alone() -> None:
    assert "order 2 is 0.400" in not_needed(CompactMemory(order=2), host())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"memory.free_percent": 4.0}, "4.0 % of memory is free"),
        ({"pressure.full.percent": 20.0}, "full memory pressure is 20.0 %"),
        ({"buddy.unusable": [0.0, 0.1]}, "no blocks of order 3"),
        ({"buddy": DENIED}, "buddy.unusable is unknown"),
        ({"host.container": True}, "container"),
    ],
)
def test_hosts_on_which_it_is_refused(changes: dict[str, object], word: str) -> None:
    assert word in blocked(COMPACT, host(changes))


def test_the_script_writes_one(machine: Machine, tmp_path: Path) -> None:
    made = change(COMPACT, host())
    knob = tmp_path / "compact_memory"
    result = machine.do(made.script, str(knob), "30")
    assert (result.status, "CONFIG_COMPACTION" in result.text) == (1, True)
    knob.touch()
    assert machine.do(made.script, str(knob), "30").status == 0
    assert knob.read_text() == "1\n"
