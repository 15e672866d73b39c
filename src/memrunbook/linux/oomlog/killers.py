"""The lines of killers in userspace (systemd-oomd, earlyoom, nohang, oomd): who they killed and why."""

from __future__ import annotations

import re

from memrunbook.linux.oomlog.event import Kill, LogEvent, TaskRow
from memrunbook.linux.oomlog.frame import LogLine

KIB = 1024
_SYSTEMD_OOMD = re.compile(r"(?:Killed|Marked) (/.*?) (?:for killing )?(due to .*)$")
_EARLYOOM = re.compile(
    r"(?:sending SIG(?:TERM|KILL) to|[Kk]illing) process (\d{1,10}) (?:uid (\d{1,10}) )?\"(.*?)\""
    r"(?: with signal \d+|:\".*\")?: .*?VmRSS (\d{1,12}) MiB"
)
_OOMD = re.compile(r"oomd kill: .*? (/?\S+) (\d{1,18}) ruleset:(.*)$")
_NOHANG = re.compile(r"Sending (SIG(?:TERM|KILL)) to the victim(.*)$")
_NOHANG_VICTIM = re.compile(r"[Nn]ame: (.{1,64}?), PID: (\d{1,10})|PID: (\d{1,10}), [Nn]ame: (.{1,64}?)(?:,|$)")


def read_killer(line: LogLine) -> LogEvent | None:
    """The event that such a line reports, None where it reports none; a dry run of oomd killed nobody."""
    if line.program == "systemd-oomd":
        return _systemd_oomd(line)
    if line.program == "earlyoom":
        return _earlyoom(line)
    return _nohang(line) if line.program == "nohang" else _oomd(line)


def _systemd_oomd(line: LogLine) -> LogEvent | None:
    found = _SYSTEMD_OOMD.match(line.text)
    if found is None:
        return None
    return LogEvent(line.stamp, "systemd-oomd", task_memcg=found[1], reason=found[2], date=line.date)


def _earlyoom(line: LogLine) -> LogEvent | None:
    found = _EARLYOOM.match(line.text)
    if found is None:
        return None
    kill = Kill(int(found[1]), found[3], anonymous_kib=int(found[4]) * KIB, uid=int(found[2]) if found[2] else None)
    return LogEvent(line.stamp, "earlyoom", kills=[kill], reason=line.text, date=line.date)


def _nohang(line: LogLine) -> LogEvent | None:
    """It names the victim in the same line, in some versions only in lines before."""
    found = _NOHANG.search(line.text)
    if found is None:
        return None
    named = _NOHANG_VICTIM.search(found[2])
    chosen = TaskRow(int(named[2] or named[3]), named[1] or named[4]) if named else None
    return LogEvent(line.stamp, "nohang", chosen=chosen, reason=line.text, date=line.date)


def _oomd(line: LogLine) -> LogEvent | None:
    found = _OOMD.search(line.text)
    if found is None or "killer:(dry)" in found[3]:
        return None
    return LogEvent(line.stamp, "oomd", task_memcg="/" + found[1].removeprefix("/"), reason=line.text, date=line.date)
