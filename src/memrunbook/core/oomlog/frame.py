"""Takes the frame off a line of a kernel log: stamps, priority, host and program, in every style that tools write."""

from __future__ import annotations

import re
from typing import NamedTuple

KERNEL = "kernel"
_STAMP = r"\[ *(\d{1,12}\.\d{1,9})\](?:\[ *[TC]\d+\])? ?"
_DATE = (
    r"\[[^\]\[]{8,40} \d{4}\] "  # dmesg -T, in the target's language
    r"|\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-][\d:]{4,6})? "
    r"|[A-Z][a-z]{2} +\d{1,2} [\d:.]{8,15} "
    r"|\d{1,2}\w? +\d{1,2} [\d:.]{8,15} "  # journalctl in Chinese and Japanese
)
_FRAME = re.compile(
    r"(?:<\d{1,3}>)?"
    r"(?:[a-z0-9]+ *:[a-z]+ *: )?"  # dmesg -x
    r"(?:\d+,\d+,(?P<micro>\d{1,18}),[^;]*;)?"  # /dev/kmsg
    rf"(?P<date>{_DATE})?"
    rf"(?:{_STAMP})?"
)
_PROGRAM = re.compile(r"(?:[\w.-]+ )?(kernel|systemd|systemd-oomd|earlyoom|nohang|oomd)(?:\[\d+\])?: ?")
_ANY_PROGRAM = re.compile(r"(?:[\w.-]+ )?([\w./@-]+)\[\d+\]: ")
_SECOND = re.compile(_STAMP)
MICROSECONDS = 1_000_000


class Line(NamedTuple):
    """What a line says: `stamp` in seconds of the host's uptime, None where it has none; who wrote it; the text."""

    stamp: float | None
    program: str
    text: str


def unframe(line: str) -> Line:
    """Takes off every known frame; what is left of an unknown one stays in front of the text."""
    frame = next(_FRAME.finditer(line))  # every part is optional: the first match is at the start
    place, stamp = frame.end(), frame[3]
    program = KERNEL
    source = _PROGRAM.match(line, place) or (_ANY_PROGRAM.match(line, place) if frame["date"] else None)
    if source:
        program, place = source[1], source.end()
        second = _SECOND.match(line, place)
        if second and not stamp:  # after a stamp it is the text's own: a name may look like one
            stamp, place = second[1], second.end()
    if frame["micro"]:
        return Line(int(frame["micro"]) / MICROSECONDS, program, line[place:])
    return Line(float(stamp) if stamp else None, program, line[place:])
