"""Transparent huge pages: how they are set, and how much memory is in them."""

from __future__ import annotations

import re
from typing import Annotated

from memrunbook.core.reading.fact import Doc, Fact, Read, Reading, Samples, Unavailable
from memrunbook.core.units import Unit
from memrunbook.facts.memory import MEMINFO
from memrunbook.facts.shared import numbers
from memrunbook.facts.shared.sampling import Readings, latest

FOLDER = "/sys/kernel/mm/transparent_hugepage"
ENABLED, DEFRAG = f"{FOLDER}/enabled", f"{FOLDER}/defrag"


class ThpReading(Reading, frozen=True, kw_only=True):
    """The two settings, as the kernel words them."""

    enabled: Annotated[str, Doc("always, madvise or never", source=ENABLED)]
    defrag: Annotated[
        str | None, Doc("who waits for one: always, defer, defer+madvise, madvise or never", source=DEFRAG)
    ] = None
    anonymous_bytes: Annotated[
        int | None, Doc("anonymous memory in huge pages", Unit.BYTES, "/proc/meminfo AnonHugePages")
    ] = None


def parse(samples: Samples, _readings: Readings) -> ThpReading | Unavailable:
    """Reads the setting in brackets; a kernel without transparent huge pages is `absent`."""
    answer = latest(samples, ENABLED)
    if answer.problem:
        return answer.problem
    enabled = _chosen(answer.text)
    if enabled is None:
        return Unavailable("failed", f"{ENABLED} shows no choice")
    return ThpReading(
        enabled=enabled,
        defrag=_chosen(latest(samples, DEFRAG).text),
        anonymous_bytes=numbers.keyed(latest(samples, MEMINFO).text).get("AnonHugePages"),
    )


def _chosen(text: str) -> str | None:
    chosen = re.search(r"\[([a-z+]{1,32})\]", text)
    return chosen[1] if chosen else None


FACT = Fact(
    reading=ThpReading,
    parse=parse,
    asks=(Read(ENABLED, lines=1), Read(DEFRAG, lines=1), Read(MEMINFO, each=True)),
    meaning="transparent huge pages",
)
