from __future__ import annotations

import pytest

from memrunbook.core.reading.fact import Answer, Sample, Samples
from memrunbook.facts.shared.filling import is_overtaken

TOTAL = 1000
"""Of memory, in KiB; there are 1,000 of swap too."""


def watched(
    *left: tuple[int, int], kills: tuple[int, ...] = (), every: float = 10.0, word: str = "MemAvailable"
) -> Samples:
    """Samples with so much memory and swap left, in KiB."""
    found = []
    for place, (memory, swap) in enumerate(left):
        info = f"MemTotal: {TOTAL} kB\n{word}: {memory} kB\nSwapTotal: {TOTAL} kB\nSwapFree: {swap} kB\n"
        answers = {"/proc/meminfo": Answer(info)}
        if kills:
            answers["/proc/vmstat"] = Answer(f"oom_kill {kills[place]}\n")
        found.append(Sample(100.0 + every * place, 100.0 + every * place, answers))
    return tuple(found)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        # Full before the next reading, however much there was: one fall is enough.
        ([(900, 1000), (400, 500)], True),
        ([(400, 0), (90, 0)], True),
        ([(500, 0), (500, 0), (100, 0)], True),
        # Full before the end, little is left, and it fell twice.
        ([(600, 0), (500, 0), (400, 0)], True),
        ([(200, 200), (200, 150), (200, 50)], True),
        # It fell once only, or much is left, or it lasts for longer than the watch.
        ([(500, 0), (500, 0), (400, 0)], False),
        ([(1000, 900), (800, 800), (700, 600)], False),
        ([(402, 0), (401, 0), (400, 0)], False),
        # Nothing falls.
        ([(400, 0)], False),
        ([(400, 0), (400, 0)], False),
        ([(100, 0), (300, 0)], False),
        ([(300, 0), (200, 0), (250, 0)], False),
    ],
)
def test_a_watch_is_overtaken_where_memory_and_swap_do_not_outlast_it(
    left: list[tuple[int, int]], *, expected: bool
) -> None:
    assert is_overtaken(watched(*left), 10.0, 60.0) is expected


@pytest.mark.parametrize(
    ("kills", "expected"), [((4, 4, 4), False), ((4, 4, 5), True), ((4, 5, 5), True), ((0, 0, 0), False)]
)
def test_a_kill_since_it_began_ends_a_watch(kills: tuple[int, ...], *, expected: bool) -> None:
    assert is_overtaken(watched(*[(500, 500)] * 3, kills=kills), 10.0, 60.0) is expected


def test_an_old_kernel_is_judged_by_free_memory_and_cache() -> None:
    assert is_overtaken(watched((400, 0), (90, 0), word="MemFree"), 10.0, 60.0)
    assert not is_overtaken(watched((400, 0), (90, 0), word="Cached"), 1.0, 60.0)


def test_what_was_not_read_says_nothing() -> None:
    assert not is_overtaken((Sample(1.0, 1.0, {}), Sample(2.0, 2.0, {})), 10.0, 60.0)
    at_once = watched((400, 0), (90, 0), every=0.0)
    assert not is_overtaken(at_once, 10.0, 60.0)
