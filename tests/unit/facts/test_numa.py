from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts.buddy import BuddyReading, Zone
from memrunbook.facts.numa import FOLDER, UNDECIDED, Node, NumaReading, parse

TOTAL = 1000 << 10


def zone(node: int, high: int | None) -> Zone:
    return Zone(
        node=node,
        name="Normal",
        main=True,
        free_bytes=0,
        managed_bytes=None,
        high_bytes=high,
        free_blocks=[],
        unusable=[],
        extfrag=[],
    )


def buddy(*highs: int | None) -> dict[str, Reading | Unavailable]:
    """Two zones a node, each with half of its watermark."""
    zones = [zone(node, None if high is None else high // 2) for node, high in enumerate(highs) for _ in range(2)]
    return {"buddy": BuddyReading(orders=11, zones=zones)}


def sample(at: float, free: dict[str, int], foreign: dict[str, int] | None = None) -> Sample:
    answers = {}
    for name, size in free.items():
        text = (
            f"Node {name} MemTotal: {TOTAL >> 10} kB\nNode {name} MemFree: {size >> 10} kB\nNode {name} MemUsed: 1 kB\n"
        )
        answers[f"{FOLDER}{name}/meminfo"] = Answer(text)
    for name, count in (foreign or {}).items():
        answers[f"{FOLDER}{name}/numastat"] = Answer(f"numa_hit 5\nnuma_miss {count}\nnuma_foreign {count}\n")
    return Sample(at, at, answers)


def read(*samples: Sample, readings: dict[str, Reading | Unavailable] | None = None) -> NumaReading:
    reading = parse(samples, readings or {})
    assert isinstance(reading, NumaReading)
    return reading


def test_nodes_are_listed_by_number() -> None:
    found = read(sample(1.0, {"10": 0, "2": 0, "0": TOTAL // 4}))
    assert found.node_count == 3
    assert [node.name for node in found.nodes] == ["0", "2", "10"]
    first = found.nodes[0]
    assert first == Node(
        name="0",
        total_bytes=TOTAL,
        free_bytes=TOTAL // 4,
        free_percent=25.0,
        least_percent=25.0,
        high_bytes=None,
        foreign_per_second=None,
        miss_per_second=None,
    )


@pytest.mark.parametrize(
    ("free", "foreign", "highs", "expected"),
    [
        ({"0": 10 << 10, "1": TOTAL // 2}, 5, (20 << 10, 20 << 10), True),
        ({"0": 10 << 10, "1": TOTAL // 2}, 0, (20 << 10, 20 << 10), False),
        ({"0": 30 << 10, "1": TOTAL // 2}, 5, (20 << 10, 20 << 10), False),
        ({"0": 20 << 10, "1": TOTAL // 2}, 5, (20 << 10, 20 << 10), False),
        ({"0": 10 << 10, "1": TOTAL // 5}, 5, (20 << 10, 20 << 10), False),
        ({"0": 10 << 10, "1": TOTAL // 2}, 5, (None, None), None),
        ({"0": TOTAL // 3, "1": TOTAL // 2}, 5, (None, None), False),
        ({"0": 10 << 10}, 5, (20 << 10,), False),
    ],
)
def test_one_full_node_beside_an_empty_one_is_an_imbalance(
    free: dict[str, int], foreign: int, highs: tuple[int | None, ...], *, expected: bool | None
) -> None:
    found = read(
        sample(10.0, free, dict.fromkeys(free, 7)),
        sample(15.0, free, {"0": 7 + foreign, "1": 7}),
        readings=buddy(*highs),
    )
    assert found.imbalanced is expected
    assert found.unavailable == ({"imbalanced": UNDECIDED} if expected is None else {})
    assert (found.nodes[0].foreign_per_second, found.nodes[0].miss_per_second) == (foreign / 5, foreign / 5)
    assert found.nodes[0].high_bytes == highs[0]


@pytest.mark.parametrize(
    ("free", "highs", "expected"),
    [
        # Of 1,000 KiB each.
        ({"0": 2, "1": 430}, (20, 20), "node 0 with 0.2 % free beside node 1 with 43 %"),
        ({"0": 2, "1": 430}, (None, None), "node 0 with 0.2 % free beside node 1 with 43 %"),
        ({"0": 15, "1": 900}, (20, 20), "node 0 with 1.5 % free beside node 1 with 90 %"),
        ({"0": 300, "1": 6, "2": 250, "3": 3}, (20, 20, 20, 20), "node 3 with 0.3 % free beside node 0 with 30 %"),
        ({"0": 210, "1": 0}, (20, 20), "node 1 with 0.0 % free beside node 0 with 21 %"),
        ({"0": 15, "1": 900}, (None, None), ""),
        ({"0": 25, "1": 900}, (20, 20), "node 0 with 2.5 % free beside node 1 with 90 %"),
        ({"0": 45, "1": 900}, (20, 20), "node 0 with 4.5 % free beside node 1 with 90 %"),
        ({"0": 85, "1": 900}, (20, 20), ""),
        ({"0": 2, "1": 200}, (20, 20), ""),
        ({"0": 2, "1": 3}, (20, 20), ""),
        ({"0": 2}, (20,), ""),
        ({"0": 500, "1": 500}, (20, 20), ""),
    ],
)
def test_one_full_node_beside_a_roomy_one_is_told_in_words(
    free: dict[str, int], highs: tuple[int | None, ...], expected: str
) -> None:
    marks = buddy(*(None if high is None else high << 10 for high in highs))
    found = read(sample(10.0, {name: size << 10 for name, size in free.items()}), readings=marks)
    assert found.lopsided == expected


def test_a_short_node_is_not_decided_by_one_sample() -> None:
    found = read(sample(10.0, {"0": 0, "1": TOTAL}, {"0": 1, "1": 1}), readings=buddy(4096, 4096))
    assert found.imbalanced is None


def test_no_nodes_no_reading() -> None:
    none = parse((Sample(1.0, 1.0, {}),), {})
    assert none == Unavailable("absent", "this kernel shows no NUMA nodes")
    junk = parse((Sample(1.0, 1.0, {f"{FOLDER}0/meminfo": Answer("Node 0 MemTotal: 0 kB\n")}),), {})
    assert isinstance(junk, Unavailable)
    assert junk.reason == "failed"


def test_a_node_without_memory_is_left_out() -> None:
    cpu_only = "Node 1 MemTotal: 0 kB\nNode 1 MemFree: 0 kB\nNode 1 MemUsed: 0 kB\n"
    both = sample(1.0, {"0": TOTAL})
    both.answers[f"{FOLDER}1/meminfo"] = Answer(cpu_only)
    assert [node.name for node in read(both).nodes] == ["0"]


def test_a_node_is_full_if_it_was_in_one_of_the_samples() -> None:
    samples = [sample(at, {"0": size << 10, "1": 900 << 10}) for at, size in ((1.0, 90), (6.0, 15), (11.0, 120))]
    assert (
        read(*samples, readings=buddy(20 << 10, 20 << 10)).lopsided == "node 0 with 1.5 % free beside node 1 with 90 %"
    )
