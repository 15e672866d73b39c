"""Large answers in little room, while a host sleeps until its next sample."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from memrunbook.core.reading.fact import Answer, Sample

LARGE = 1 << 14
"""Characters from which on an answer is packed: the kernel's log, the details of processes, the slab caches."""
FAST = 1


@contextmanager
def packed(sample: Sample) -> Iterator[None]:
    """Nobody may read the sample's large answers within the block; behind it they are as they were.

    Of a hundred hosts that wait at once they would be most of the memory that the engine has.
    """
    kept = {
        key: zlib.compress(answer.text.encode("utf-8", "surrogatepass"), FAST)
        for key, answer in sample.answers.items()
        if len(answer.text) >= LARGE
    }
    sample.answers.update(dict.fromkeys(kept, Answer()))
    try:
        yield
    finally:
        for key, text in kept.items():
            sample.answers[key] = Answer(zlib.decompress(text).decode("utf-8", "surrogatepass"))
