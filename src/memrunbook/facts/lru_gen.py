"""The multi-gen LRU (Linux 6.1 and later): whether it is on, and for how long it protects a working set."""

from __future__ import annotations

import re
from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings, latest

FOLDER = "/sys/kernel/mm/lru_gen"
ENABLED, MIN_TTL = f"{FOLDER}/enabled", f"{FOLDER}/min_ttl_ms"
MAIN_SWITCH = 1


class LruGenReading(Reading, frozen=True, kw_only=True):
    """The two settings of the multi-gen LRU."""

    enabled: Annotated[bool, Doc("it takes the place of the active and inactive lists", source=ENABLED)]
    min_ttl_ms: Annotated[
        int | None, Doc("milliseconds for which a working set is protected, rather killing; 0: not", source=MIN_TTL)
    ] = None


def parse(samples: Samples, _readings: Readings) -> LruGenReading | Unavailable:
    """Reads the settings; a kernel without it is `absent`. The lowest bit of the first file is the main switch."""
    answer = latest(samples, ENABLED)
    if answer.problem:
        return answer.problem
    switches = re.fullmatch(r"0x([0-9a-f]{1,8})", answer.text.strip())
    if switches is None:
        return Unavailable("failed", f"{ENABLED} holds no hexadecimal number")
    on = bool(int(switches[1], 16) & MAIN_SWITCH)
    return LruGenReading(enabled=on, min_ttl_ms=numbers.whole(latest(samples, MIN_TTL).text))


FACT = Fact(
    reading=LruGenReading,
    parse=parse,
    asks=(Read(ENABLED, lines=1), Read(MIN_TTL, lines=1)),
    meaning="the multi-gen LRU",
)
