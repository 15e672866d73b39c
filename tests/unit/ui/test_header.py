from __future__ import annotations

from typing import Any

import pytest
from tests.unit.actions.hosts import DENIED, host

from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.run.progress import where
from memrunbook.core.units import GIB, MIB
from memrunbook.linux.places import Place
from memrunbook.ui.block import Block, Grid, Row
from memrunbook.ui.header import kept_memory_rows, memory_rows
from memrunbook.ui.layout import lay_out
from memrunbook.ui.suspects import cause_rows, sentence

PLACES = [
    Place("anonymous", 20 * GIB, 31.2),
    Place("page cache", 9 * GIB, 14.0),
    Place("shared memory", 200 * MIB, 0.3),
    Place("slab", 2 * GIB, 3.1, kernel=True),
    Place("page tables", 18 * GIB, 28.1, kernel=True),
    Place("per-CPU", 64 * MIB, 0.1, kernel=True),
    Place("huge pages", 8 * GIB, 12.5),
    Place("in no counter", GIB, 1.5),
    Place("free", 5 * GIB, 7.8),
]
LINE = (
    "Memory     40.0 GiB of 64.0 GiB available; anonymous 20.0 GiB, page cache 9.0 GiB, kernel 20.1 GiB (page tables "
    "18.0 GiB, slab 2.0 GiB), huge pages 8.0 GiB, in no counter 1.0 GiB"
)


def drawn(rows: tuple[Row, ...], width: int | None = None) -> list[str]:
    blocks: list[Block] = [Grid(rows, indent=0)] if rows else []
    return ["".join(span.text for span in content).rstrip() for content in lay_out(blocks, width)]


def test_where_the_memory_is_begins_with_what_is_available() -> None:
    assert drawn(memory_rows(host({"memory.places": PLACES}))) == [LINE]


def test_no_line_is_wider_than_a_terminal() -> None:
    lines = drawn(memory_rows(host({"memory.places": PLACES})), 80)
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines) == LINE


def test_a_host_where_little_is_held_is_told_too() -> None:
    assert drawn(memory_rows(host({"memory.places": PLACES[-1:]}))) == ["Memory     40.0 GiB of 64.0 GiB available"]


@pytest.mark.parametrize("changes", [{"memory": DENIED}, {"memory.places": DENIED}])
def test_what_is_unknown_has_no_line(changes: dict[str, Any]) -> None:
    assert memory_rows(host(changes)) == ()


def test_a_run_keeps_where_the_memory_is() -> None:
    kept = where(host({"memory.places": PLACES}))
    assert drawn(kept_memory_rows(kept)) == [LINE]
    assert where(host({"memory": DENIED})) == {}


@pytest.mark.parametrize("kept", [{}, {"memory.places": [{"name": 7}]}, {"memory.places": None}])
def test_what_an_older_run_did_not_keep_has_no_line(kept: dict[str, Any]) -> None:
    assert kept_memory_rows(kept) == ()


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("unit", {"anonymous_bytes": 4 * MIB, "own_bytes": 347 * MIB}, "holds 347.0 MiB"),
        ("unit", {"anonymous_bytes": 107 * MIB, "own_bytes": 192 * MIB, "swap_bytes": 85 * MIB},
         "holds 107.0 MiB, 85.0 MiB more in swap"),
        ("mount", {"shared_bytes": 310 * MIB}, "holds 310.0 MiB"),
        ("kernel", {"bytes": 18 * GIB}, "holds 18.0 GiB"),
        ("setting", {"idle_bytes": 32 * GIB}, "holds 32.0 GiB"),
        ("process", {"anonymous_bytes": 397 * MIB, "swap_bytes": 83 * MIB}, "holds 397.0 MiB, 83.0 MiB more in swap"),
        ("kernel", {}, "is the likely cause"),
    ],
)  # fmt: skip
def test_a_suspect_is_told_with_all_that_it_holds_once(kind: str, facts: dict[str, Any], said: str) -> None:
    assert sentence(Suspect(kind, "it", 1.0, facts)) == said


def test_a_memfd_is_told_by_its_name() -> None:
    suspect = Suspect("process", "hold", 1.0, {"pid": 77, "shared_bytes": 320 * MIB, "maps": "memfd:ring"})
    assert drawn(tuple(cause_rows([suspect]))) == ["Cause      hold   pid 77, shared 320.0 MiB, mostly memfd:ring"]
