from __future__ import annotations

from memrunbook.core.fact import Answer, Sample
from memrunbook.facts import slab
from memrunbook.facts.memory import MEMINFO


def test_the_newest_sample_counts_and_ram_is_the_measure() -> None:
    texts = [
        "MemTotal: 100 kB\nSlab: 5 kB\n",
        "MemTotal: 200 kB\nSlab: 60 kB\nSReclaimable: 50 kB\nSUnreclaim: 10 kB\n",
    ]
    reading = slab.parse(tuple(Sample(at, at, {MEMINFO: Answer(text)}) for at, text in enumerate(texts)), {})
    assert isinstance(reading, slab.SlabReading)
    assert reading.total_bytes == 60 * 1024
    assert reading.reclaimable_percent == 25.0
    assert reading.unreclaimable_percent == 5.0
