from __future__ import annotations

from memrunbook.core.reading.fact import Answer, Sample
from memrunbook.facts import hugepages
from memrunbook.facts.memory import MEMINFO

INFO = "MemTotal: 1048576 kB\nHugePages_Total: 4\nHugePages_Free: 3\nHugePages_Rsvd: 1\nHugepagesize: 2048 kB\n"


def read(**pools: str) -> hugepages.HugepagesReading:
    files = {f"{hugepages.POOL}{name.replace('_', '/', 1)}": Answer(text) for name, text in pools.items()}
    reading = hugepages.parse((Sample(0, 0, {MEMINFO: Answer(INFO), **files}),), {})
    assert isinstance(reading, hugepages.HugepagesReading)
    return reading


def test_promised_pages_are_not_idle() -> None:
    assert read().idle_bytes == 2 * (2 << 20)
    assert read().all_bytes == 4 * (2 << 20)


def test_the_pool_of_the_default_size_is_not_counted_twice() -> None:
    assert read(**{"2048kB_nr_hugepages": "9", "2048kB_free_hugepages": "9"}) == read()


def test_a_pool_whose_files_say_nothing_is_empty() -> None:
    assert read(**{"1048576kB_nr_hugepages": "?"}).all_bytes == read().all_bytes


def test_every_pool_is_listed_the_one_with_most_idle_memory_first() -> None:
    files = {"nr": "5", "free": "4", "resv": "1", "surplus": "2"}
    reading = read(
        **{f"1048576kB_{name}_hugepages": count for name, count in files.items()}, **{"64kB_nr_hugepages": "0"}
    )
    first, second, third = reading.pools
    assert first == hugepages.HugepagePool("1 GiB", 1 << 30, 5, 4, 1, 2, 3 << 30)
    assert (second.name, second.total, second.idle_bytes) == ("2 MiB", 4, 2 * (2 << 20))
    assert (third.name, third.total) == ("64 KiB", 0)


def test_a_pool_that_cannot_be_stays_within_64_bits() -> None:
    reading = read(**{"1048576kB_nr_hugepages": str((1 << 63) - 1), "1048576kB_free_hugepages": str((1 << 63) - 1)})
    assert reading.all_bytes == reading.idle_bytes == (1 << 63) - 1
