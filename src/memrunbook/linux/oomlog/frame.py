"""Takes the frame off a line of a kernel log: stamps, priority, host and program, in every style that tools write."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

KERNEL = "kernel"
PROGRAMS = (KERNEL, "systemd", "systemd-oomd", "earlyoom", "nohang", "oomd", "systemd-journald")
_STAMP = r"\[ *(?:\d{1,3}-)?(\d{1,12}\.\d{1,9})(?:@\d+|, ?\d)?(?: <[ .\d]{1,24}>)?\]:?(?: ?\[ *([TC]\d+)\])? ?"
_ANDROID = r"[ -]*\(\d+\)\[\d+:[^\]]{1,32}\] ?|[A-Z]?\[\d+: *[^\]]{1,32}: *\d+\] ?|c\d+ +\d+ "
_DATE = (
    r"\[[^\]\[]{8,40} \d{4}\] "  # dmesg -T, in the target's language
    r"|\[(?:[^\]\[]{5,40}\d\d:\d\d:\d\d[^\]\[]{0,24}|< *\d{1,9}\.\d{1,9}>)\]:? "  # dmesg -Td, Talos, consoles
    r"|\[[^\W\d_]{2,9}\.? ?\d{1,2} \d\d:\d\d\] |\[ +\+\d{1,9}\.\d{1,9}\] "  # dmesg -e
    r"|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:[\d:.,]+(?:Z|[+-][\d:]{4,6})? (?:std(?:out|err) [FP] )?"  # or a container's
    r"|[^\W\d_]{2,4} \d{4}-\d\d-\d\d \d\d:[\d:.]+ \S{1,9} "  # journalctl -o short-full
    r"|(?:[^\W\d_]{2,4} )?[^\W\d_]{2,9}\.? +\d{1,2} (?:\d{4} )?[\d:.]{8,15} (?:\d{4} )?"  # syslog, in any language
    r"|\d{1,2}(?:\w? +\d{1,2}| [^\W\d_]{3,9}\.?) [\d:.]{8,15} "  # journalctl in Chinese, Japanese, Russian
    r"|\d{9,11}\.\d{6} (?=\S+ [\w-]+(?:\[\d+\])?: )"  # journalctl -o short-unix
)
_FRAME = re.compile(
    rf"(?:[\w./+-]{{1,200}}[:-](?:\d+[:-])?(?={_DATE}|\[ *\d+\.\d))?"  # grep over several files
    r"(?:<\d{1,3}>(?:1 )?|1 (?=\d{4}-))?"
    r"(?:[a-z0-9]+ *:[a-z]+ *: ?|(?:[\d.]+: )?(?:kern|user): +[a-z]+: )?"  # dmesg -x, Talos
    r"(?:(?:[\w.+-]{1,64},)?(?P<priority>\d{1,4}),\d+,(?P<micro>\d{1,18}),(?P<flags>[^;]*);)?"  # /dev/kmsg, netconsole
    rf"(?P<date>{_DATE})?"
    rf"(?:{_STAMP}(?:{_ANDROID})?)?"
)
_PROGRAM = re.compile(
    rf"(?:[\w.:-]+ )?({'|'.join(PROGRAMS)})"
    r"(?:(?:\[\d+\])?: ?(?! ?page allocation| ?vmalloc)| \S+ \S+ (?:-|\[[^\]]*\]) )"  # the second: a newer syslog
)
_ANY_PROGRAM = re.compile(r"(?:[\w.:-]+ )?([\w./@-]+)\[\d+\]: ")
_BARE = re.compile(rf"{_STAMP}(?:{_ANDROID})?")
_AGAIN = re.compile(rf"(?:(?:{KERNEL})?: )?{_STAMP}")
_INNER = re.compile(rf"\[ *\d{{1,10}}\.\d{{3,9}}\]|\b{KERNEL}(?:\[\d+\])?: ")
_TEXT = re.compile(r"oom|[Kk]ill|invoked|cpuset|allocation|omm: |\[ *\d+\]")
LONGEST_UNKNOWN = 120
"""Characters in front of a stamp or of `kernel:` that are an unknown frame, where they look like no text."""
_KERNEL, _LONGEST_HEAD = f"{KERNEL}: ", 100
_HOST = re.compile(rf"((?>{_DATE}))[\w.:-]+ {_KERNEL}")
_CALLER = re.compile(r"caller=([TC]\d+)")
_LEFT = re.compile(r"[\]:|] ?(?=\S)")
MICROSECONDS = 1_000_000
FACILITY = 8
LONGEST_NAME = 15


class LogLine(NamedTuple):
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


def unframe(line: str) -> LogLine:
    """Takes off every known frame; what is left of an unknown one stays in front of the text."""
    bare = _BARE.match(line)
    if bare:
        return _line(line, bare.end(), bare[1], bare[2])
    end = line.find(_KERNEL, 0, _LONGEST_HEAD) + len(_KERNEL)
    date = _date(line[:end]) if end >= len(_KERNEL) else ""
    if date:
        return _second(line, end, date)
    frame = next(_FRAME.finditer(line))  # every part is optional: the first match is at the start
    if frame["micro"]:
        return _record(line, frame)
    place, date = frame.end(), (frame["date"] or "").strip(" []:")
    stamp, caller = frame.groups()[-2:]
    inner = None if stamp else _INNER.search(line, place, place + LONGEST_UNKNOWN)
    if inner and inner.start() > place and not _TEXT.search(line, place, inner.start()):
        found = _line(line, place, stamp, caller, date)
        return found if found.program != KERNEL else unframe(line[inner.start() :])._replace(date=date)
    return _line(line, place, stamp, caller, date)


def bare_name(text: str) -> str:
    """A process's name; one longer than the kernel's still holds what is left of an unknown frame."""
    return _LEFT.split(text)[-1] if len(text) > LONGEST_NAME else text


def _record(line: str, frame: re.Match[str]) -> LogLine:
    """A record of /dev/kmsg: its priority says whether the kernel wrote it or a program."""
    named, place, program = _CALLER.search(frame["flags"]), frame.end("flags") + 1, KERNEL
    if int(frame["priority"]) >= FACILITY:
        source = _PROGRAM.match(line, place) or _ANY_PROGRAM.match(line, place)
        program, place = (source[1], source.end()) if source else ("", place)
    stamp, caller = int(frame["micro"]) / MICROSECONDS, named[1] if named else ""
    return LogLine(stamp, program, line[place:], caller=caller, style="kmsg")


@lru_cache(maxsize=256)
def _date(head: str) -> str:
    """The date of a line of a syslog that a host's kernel wrote, by its head: many in a row have the same."""
    found = _HOST.fullmatch(head)
    return found[1].strip(" []") if found else ""


def _line(line: str, place: int, stamp: str | None, caller: str | None, date: str = "") -> LogLine:
    """What stands behind the first stamp or date."""
    source = _PROGRAM.match(line, place)
    if source is None and "]: " in line and (date or stamp):
        source = _ANY_PROGRAM.match(line, place)
    if source is None:
        return LogLine(float(stamp) if stamp else None, KERNEL, line[place:], date, caller or "")
    if stamp:  # a second one is the text's own: a name may look like it
        return LogLine(float(stamp), source[1], line[source.end() :], date, caller or "", "syslog")
    return _second(line, source.end(), date, source[1])


def _second(line: str, place: int, date: str, program: str = KERNEL) -> LogLine:
    """What stands behind the program: often the stamp that the kernel printed."""
    found = _AGAIN.match(line, place)
    if found is None:
        return LogLine(None, program, line[place:], date, "", "syslog")
    return LogLine(float(found[1]), program, line[found.end() :], date, found[2] or "", "syslog")
