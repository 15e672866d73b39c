"""Advice under a cause: its programs are those of the snapshot."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.actions.hosts import API, WORKER, host

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.units import GIB
from memrunbook.ui.advice import advice_rows
from memrunbook.ui.block import Row

JAVA = msgspec.structs.replace(WORKER, name="java")
UNIT = Suspect("unit", API.name, 1.0, {"own_bytes": 6 * GIB})


def words(rows: list[Row]) -> list[str]:
    return ["".join(part.text for part in row.body) for row in rows]


def test_a_service_is_known_by_its_largest_process() -> None:
    limit, heap = words(advice_rows([UNIT], host({"processes.all": [JAVA], "units.growing": []})))
    assert limit.endswith("systemctl set-property search-api.service MemoryMax=7680M")
    assert "-Xmx5760m" in heap


def test_one_that_grows_is_looked_into() -> None:
    growing = Suspect("unit", API.name, 1.0, {"own_bytes": 6 * GIB, "growth_bytes_per_second": 200_000})
    rows = advice_rows([growing], host())
    assert words(rows)[-1].startswith("it grows: find out what it keeps")


def test_without_a_snapshot_its_own_figures_serve() -> None:
    assert len(advice_rows([UNIT], ram=64 * GIB)) == 1
    assert advice_rows([UNIT]) == [], "a limit that may be above the RAM protects nobody"
    (row,) = advice_rows([Suspect("unit", API.name, 1.0, {"own_bytes": 3 * GIB})], ram=2 * GIB)
    assert "MemoryMax=1638M" in str(row)
    killed = Suspect("unit", API.name, 1.0, {"victim_bytes": GIB, "limit_bytes": GIB})
    assert advice_rows([killed]) == []


@pytest.mark.parametrize(
    "suspects", [[], [Suspect("setting", "vm.swappiness", 1.0)], [Suspect("kernel", "slab", 1.0)]]
)  # fmt: skip
def test_a_setting_needs_no_advice(suspects: list[Suspect]) -> None:
    assert advice_rows(suspects, host()) == []


def test_a_process_outside_any_service_is_its_own_program() -> None:
    stray = Suspect("process", "python3", 1.0, {"anonymous_bytes": GIB, "swap_bytes": None})
    (line,) = words(advice_rows([stray], host()))
    assert line.startswith("Python: recycle workers")
