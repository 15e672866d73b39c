"""The recorded hosts of `bench.reading`: what is built is what the facts read, and no host is like another."""

from __future__ import annotations

import random
from pathlib import Path

from bench import machine, reading

from memrunbook import catalog

TAKEN = {
    "parse": 20.0, "judge": 4.0, "first judge": 5.0, "judge healthy": 3.0, "kib": 600.0, "runbooks": 10, "firing": 4,
    "facts": {"cgroups": 9.0, "cpu": 0.1},
}  # fmt: skip


def test_what_is_built_is_what_is_read(tmp_path: Path) -> None:
    facts = catalog.facts()
    machine.build(tmp_path, 12, 40, reading.paths(facts))
    recording = reading.record(tmp_path, facts)
    snapshot = reading.snapshot_of(recording, facts)

    assert len(recording) == reading.SAMPLES + 1
    assert snapshot.span == machine.EVERY * (reading.SAMPLES - 1)
    assert snapshot.value("cgroups.version") == 2
    assert snapshot.value("cgroups.seen") >= 12
    assert 20 < snapshot.value("processes.seen") <= 40
    assert snapshot.value("units.count") == 8
    assert snapshot.value("memory.total_bytes") == machine.TOTAL_KIB * 1024
    assert snapshot.value("memory.available_percent") < 10
    assert str(tmp_path) not in "".join(recording)

    machine.heal(tmp_path)
    healed = reading.snapshot_of(reading.record(tmp_path, facts), facts)
    assert healed.value("memory.available_percent") > 50
    assert healed.value("pressure.full.avg10") == 0
    assert healed.value("swap.free_percent") == 100


def test_no_host_is_like_another() -> None:
    dice = random.Random(1)
    (one,), (other,) = (reading.varied(["anon 123456789\nfile 12345\n"], dice) for _ in range(2))
    assert one != other
    assert one.startswith("anon 123456")
    assert one.endswith("\nfile 12345\n")


def test_checkouts_are_compared_with_the_first() -> None:
    slow = {**TAKEN, "judge": 40.0, "parse": 40.0}
    (text,) = reading.tables("some hosts", {"before": [slow, slow], "after": [TAKEN, TAKEN]})
    assert (
        "| judging a host short of memory: 4 of 10 runbooks apply | <= 5.00 ms | 40.0, **missed** | 4.00, met | 0.10 |"
        in text
    )
    assert "| parsing what it answered |  | 40.0 | 20.0 | 0.50 |" in text
    assert "| of parsing: cgroups |  | 9.00 | 9.00 | 1.00 |" in text
