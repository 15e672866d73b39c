"""The lines of killers in userspace (systemd-oomd, earlyoom, oomd): who they killed and why."""

from __future__ import annotations

import re

from memrunbook.core.oomlog.event import Event, Kill
from memrunbook.core.oomlog.frame import Line

KIB = 1024
_SYSTEMD_OOMD = re.compile(r"(?:Killed|Marked) (/.*?) (?:for killing )?(due to .*)$")
_EARLYOOM = re.compile(
    r"sending SIG(?:TERM|KILL) to process (\d{1,10}) uid (\d{1,10}) \"(.*?)\": .*?VmRSS (\d{1,12}) MiB"
)
_OOMD = re.compile(r"oomd kill: .*? (/?\S+) (\d{1,18}) ruleset:(.*)$")


def read_killer(line: Line) -> Event | None:
    """The event that such a line reports, None where it reports none; a dry run of oomd killed nobody."""
    if line.program == "systemd-oomd":
        return _systemd_oomd(line)
    if line.program == "earlyoom":
        return _earlyoom(line)
    return _oomd(line)


def _systemd_oomd(line: Line) -> Event | None:
    found = _SYSTEMD_OOMD.match(line.text)
    return Event(line.stamp, "systemd-oomd", task_memcg=found[1], reason=found[2]) if found else None


def _earlyoom(line: Line) -> Event | None:
    found = _EARLYOOM.match(line.text)
    if found is None:
        return None
    kill = Kill(int(found[1]), found[3], anonymous_kib=int(found[4]) * KIB, uid=int(found[2]))
    return Event(line.stamp, "earlyoom", kills=[kill], reason=line.text)


def _oomd(line: Line) -> Event | None:
    found = _OOMD.search(line.text)
    if found is None or "killer:(dry)" in found[3]:
        return None
    return Event(line.stamp, "oomd", task_memcg="/" + found[1].removeprefix("/"), reason=line.text)
