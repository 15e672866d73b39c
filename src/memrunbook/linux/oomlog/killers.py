"""The lines of killers in userspace (systemd-oomd, earlyoom, nohang, oomd): who they killed and why, or why not.

The forms are those of their sources, of all versions: a tool prints one kill over several lines, says only afterwards
that it was a dry run, or tells no more than what it looked at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from memrunbook.core.units import KIB
from memrunbook.linux.oomlog.event import Kill, LogEvent, LogNote, TaskRow
from memrunbook.linux.oomlog.frame import KERNEL, LogLine

NOT_KILLED = "not-killed"


class Sighting(NamedTuple):
    """What a killer says of the process that it is about to kill, or `considered` groups of which it may kill one."""

    killer: str
    pid: int | None = None
    name: str = ""
    rss_kib: int | None = None
    considered: LogNote | None = None


class Undone(NamedTuple):
    """What this killer said last was no kill: a dry run, or its signal reached nobody."""

    killer: str


Told = LogEvent | LogNote | Sighting | Undone | None
_SYSTEMD_OOMD = re.compile(r"(?:Killed|Marked) (/.*?) (?:for killing )?(due to .*)$|Marked (/.*) for killing$")
_RULE = re.compile(r"(Rule '.*' conditions met) for cgroup (/.*) (for .*), taking action kill-all$")
_CONSIDERED = re.compile(r"Considered (\d{1,9}) cgroups for killing")
_OOMD_DID_NOT = re.compile(
    r"(?:No cgroup candidates found|Failed to (?:kill|select) (?:any |all |cgroup)|oomd dry-run: Would have"
    r"|Nothing killed when|Failed to acquire system context|Skipping cgroup kill).*"
)
_EARLYOOM = re.compile(
    r"(?:sending SIG(?:TERM|KILL) to|[Kk]illing) process (\d{1,10}) (?:uid (\d{1,10}) )?\"(.*?)\""
    r"(?: with signal \d+|:\".*\")?: (?:badness|oom_score) .*?VmRSS (\d{1,12}) MiB"
)
_EARLYOOM_ADJ = re.compile(r": oom_score \d+, oom_score_adj (-?\d{1,5}),")
_EARLYOOM_OLD = re.compile(  # 1.1, 1.2, and those before them
    r"Killing process(?:: (?P<named>.*)| '(?P<quoted>.*)' with signal \d+), pid: (?P<pid>\d{1,10}),"
    r".* VmRSS: (?P<rss>\d{1,12}) MiB|Killing process (?P<bare_pid>\d{1,10}) (?P<bare>[^\"]{1,64})$"
)
_EARLYOOM_UNDONE = "dryrun, not actually sending", "kill failed: "
_EARLYOOM_DID_NOT = re.compile(
    r"Could not find a process to kill|memory situation has recovered while|process \d+ did not exit"
)
_OOMD = re.compile(r"oomd kill: .*? (/?\S+) (\d{1,18}) ruleset:(.*)$")
_NOHANG = re.compile(r"(?:Sending (?:SIG)?(?:TERM|KILL) to the victim|Try to send signal \S+ to )(.*)$")
_NOHANG_VICTIM = re.compile(
    r"[Nn]ame: (.{1,64}?), PID: (\d{1,10})|PID: (\d{1,10}), [Nn]ame: (.{1,64}?)(?:,|$)"
    r"|signal \S+ to (.{1,64}), Pid (\d{1,10})"
)
_NOHANG_SEEN = re.compile(
    r"PID: +(?P<pid>\d{1,10}), name: (?P<name>.{1,64}?), state:|Victim is (?P<was>.{1,64}), pid: (?P<was_pid>\d{1,10}),"
    r"|^\s*Name: +(?P<only>\S.{0,63}?)$|^\s*PID: +(?P<only_pid>\d{1,10})$|VmRSS: +(?P<rss>\d{1,12}) MiB"
    r"|Vm, MiB: +Size: \d+, RSS: (?P<also>\d{1,12})"
)
_NOHANG_UNDONE = "Selected process died before corrective", "Cannot send a signal"
_NOHANG_DID_NOT = re.compile(r".*victim.* badness .*< min_badness.*|.*Nothing to do.*")


def read_killer(line: LogLine) -> Told:
    """What such a line reports, None where it reports nothing; a dry run killed nobody."""
    if line.program == "systemd-oomd":
        return _systemd_oomd(line)
    if line.program == "earlyoom" or (line.program == KERNEL and _EARLYOOM.match(line.text)):  # or its bare output
        return _earlyoom(line)
    return _nohang(line) if line.program == "nohang" else _oomd(line)


def _systemd_oomd(line: LogLine) -> Told:
    found = _SYSTEMD_OOMD.match(line.text)
    if found:
        group, why = found[1] or found[3], found[2] or "marked for killing"
        return LogEvent(line.stamp, "systemd-oomd", task_memcg=group, reason=why, date=line.date)
    ruled = _RULE.match(line.text)
    if ruled:
        return LogEvent(
            line.stamp, "systemd-oomd", task_memcg=ruled[2], reason=f"{ruled[1]} {ruled[3]}", date=line.date
        )
    looked = _CONSIDERED.match(line.text)
    if looked:
        what = f"considered {looked[1]} control groups, and no kill follows in this log"
        return Sighting("systemd-oomd", considered=_did_not(line, "systemd-oomd", what))
    return _did_not(line, "systemd-oomd", line.text) if _OOMD_DID_NOT.match(line.text) else None


def _earlyoom(line: LogLine) -> Told:
    if line.text.startswith(_EARLYOOM_UNDONE):
        return Undone("earlyoom")
    found = _EARLYOOM.match(line.text)
    if found:
        adjusted = _EARLYOOM_ADJ.search(line.text)
        kill = Kill(
            int(found[1]), found[3], uid=int(found[2]) if found[2] else None, rss_kib=int(found[4]) * KIB,
            oom_score_adj=int(adjusted[1]) if adjusted else None,
        )  # fmt: skip
        return LogEvent(line.stamp, "earlyoom", kills=[kill], reason=line.text, date=line.date)
    if (old := _EARLYOOM_OLD.match(line.text)) is None:
        return _did_not(line, "earlyoom", line.text) if _EARLYOOM_DID_NOT.match(line.text) else None
    name, pid = old["named"] or old["quoted"] or old["bare"] or "", int(old["pid"] or old["bare_pid"])
    kill = Kill(pid, name, rss_kib=int(old["rss"]) * KIB if old["rss"] else None)
    return LogEvent(line.stamp, "earlyoom", kills=[kill], reason=line.text, date=line.date)


def _nohang(line: LogLine) -> Told:
    """It names the victim in the same line, in some versions only in lines before."""
    if any(words in line.text for words in _NOHANG_UNDONE):
        return Undone("nohang")
    seen, found = list(_NOHANG_SEEN.finditer(line.text)), _NOHANG.search(line.text)
    sighting = _sighted(seen) if seen else None
    if found is None:
        return sighting or (_did_not(line, "nohang", line.text.strip()) if _NOHANG_DID_NOT.match(line.text) else None)
    named = _NOHANG_VICTIM.search(found[0])
    chosen = None
    if named:
        chosen = TaskRow(int(named[2] or named[3] or named[6]), named[1] or named[4] or named[5])
    return LogEvent(line.stamp, "nohang", chosen=chosen, reason=line.text.strip(), date=line.date)


def _sighted(seen: list[re.Match[str]]) -> Sighting:
    """What one line says of the process: all in one, or its name, pid and size each in its own."""
    told = {name: value for found in seen for name, value in found.groupdict().items() if value}

    def number(*names: str) -> int | None:
        return next((int(told[name]) for name in names if name in told), None)

    name, rss = told.get("name") or told.get("was") or told.get("only") or "", number("rss", "also")
    return Sighting("nohang", number("pid", "was_pid", "only_pid"), name, None if rss is None else rss * KIB)


def _oomd(line: LogLine) -> Told:
    found = _OOMD.search(line.text)
    if found is None:
        return None
    if "killer:(dry)" in found[3]:
        return _did_not(line, "oomd", line.text)
    return LogEvent(line.stamp, "oomd", task_memcg="/" + found[1].removeprefix("/"), reason=line.text, date=line.date)


def _did_not(line: LogLine, killer: str, why: str) -> LogNote:
    return LogNote(NOT_KILLED, line.stamp, line.date, killer, detail=why)
