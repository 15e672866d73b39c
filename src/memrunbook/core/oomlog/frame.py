"""Takes the frame off a line of a kernel log: stamps, priority, host and program, in every style that tools write."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

KERNEL = "kernel"
PROGRAMS = (KERNEL, "systemd", "systemd-oomd", "earlyoom", "nohang", "oomd", "systemd-journald")
_STAMP = r"\[ *(\d{1,12}\.\d{1,9})(?:@\d+)?(?: <[ .\d]{1,24}>)?\](?: ?\[ *([TC]\d+)\])? ?"
_DATE = (
    r"\[[^\]\[]{8,40} \d{4}\] "  # dmesg -T, in the target's language
    r"|\[[^\W\d_]{2,9}\.? ?\d{1,2} \d\d:\d\d\] |\[ +\+\d{1,9}\.\d{1,9}\] "  # dmesg -e
    r"|\d{4}-\d\d-\d\d[T ]\d\d:[\d:.,]+(?:Z|[+-][\d:]{4,6})? "
    r"|[^\W\d_]{2,4} \d{4}-\d\d-\d\d \d\d:[\d:.]+ \S{1,9} "  # journalctl -o short-full
    r"|[^\W\d_]{2,9}\.? +\d{1,2} [\d:.]{8,15} (?:\d{4} )?"  # syslog, in any language
    r"|\d{1,2}\w? +\d{1,2} [\d:.]{8,15} "  # journalctl in Chinese and Japanese
    r"|\d{9,11}\.\d{6} (?=\S+ [\w-]+(?:\[\d+\])?: )"  # journalctl -o short-unix
)
_FRAME = re.compile(
    rf"(?:[\w./+-]{{1,200}}:(?:\d+:)?(?={_DATE}|\[ *\d+\.\d))?"  # grep over several files
    r"(?:<\d{1,3}>(?:1 )?)?"
    r"(?:[a-z0-9]+ *:[a-z]+ *: ?)?"  # dmesg -x
    r"(?:\d+,\d+,(?P<micro>\d{1,18}),(?P<flags>[^;]*);)?"  # /dev/kmsg
    rf"(?P<date>{_DATE})?"
    rf"(?:{_STAMP})?"
)
_PROGRAM = re.compile(
    rf"(?:[\w.:-]+ )?({'|'.join(PROGRAMS)})"
    r"(?:(?:\[\d+\])?: ?| \S+ \S+ (?:-|\[[^\]]*\]) )"  # the second is syslog's newer form
)
_ANY_PROGRAM = re.compile(r"(?:[\w.:-]+ )?([\w./@-]+)\[\d+\]: ")
_BARE = re.compile(_STAMP)
_KERNEL, _LONGEST_HEAD = f"{KERNEL}: ", 100
_HOST = re.compile(rf"((?>{_DATE}))[\w.:-]+ {_KERNEL}")
_CALLER = re.compile(r"caller=([TC]\d+)")
MICROSECONDS = 1_000_000


class Line(NamedTuple):
    """What a line says: `stamp` in seconds of the host's uptime, None where it has none; who wrote it; the text.

    `date` is the wall time as it was printed, `caller` the thread or processor that printed it (CONFIG_PRINTK_CALLER),
    `style` what wrote the file: kmsg, syslog or dmesg.
    """

    stamp: float | None
    program: str
    text: str
    date: str = ""
    caller: str = ""
    style: str = "dmesg"


def unframe(line: str) -> Line:
    """Takes off every known frame; what is left of an unknown one stays in front of the text."""
    bare = _BARE.match(line)
    if bare:
        return _line(line, bare.end(), bare[1], bare[2])
    end = line.find(_KERNEL, 0, _LONGEST_HEAD) + len(_KERNEL)
    date = _date(line[:end]) if end >= len(_KERNEL) else ""
    if date:
        return _second(line, end, date)
    frame = next(_FRAME.finditer(line))  # every part is optional: the first match is at the start
    place, date = frame.end(), (frame["date"] or "").strip(" []")
    if frame["micro"]:
        named = _CALLER.search(frame["flags"])
        return Line(int(frame["micro"]) / MICROSECONDS, KERNEL, line[place:], date, named[1] if named else "", "kmsg")
    stamp, caller = frame.groups()[-2:]
    return _line(line, place, stamp, caller, date)


@lru_cache(maxsize=256)
def _date(head: str) -> str:
    """The date of a line of a syslog that a host's kernel wrote, by its head: many in a row have the same."""
    found = _HOST.fullmatch(head)
    return found[1].strip(" []") if found else ""


def _line(line: str, place: int, stamp: str | None, caller: str | None, date: str = "") -> Line:
    """What stands behind the first stamp or date."""
    source = _PROGRAM.match(line, place)
    if source is None and "]: " in line and (date or stamp):
        source = _ANY_PROGRAM.match(line, place)
    if source is None:
        return Line(float(stamp) if stamp else None, KERNEL, line[place:], date, caller or "")
    if stamp:  # a second one is the text's own: a name may look like it
        return Line(float(stamp), source[1], line[source.end() :], date, caller or "", "syslog")
    return _second(line, source.end(), date, source[1])


def _second(line: str, place: int, date: str, program: str = KERNEL) -> Line:
    """What stands behind the program: often the stamp that the kernel printed."""
    found = _BARE.match(line, place)
    if found is None:
        return Line(None, program, line[place:], date, "", "syslog")
    return Line(float(found[1]), program, line[found.end() :], date, found[2] or "", "syslog")
