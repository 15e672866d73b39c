"""A kernel's log with names masked: lines about memory stay, with other names in them; all others are left out.

What else a log may say (addresses, serial numbers, what programs write to it) nobody can list. So only lines that are
known to the end are kept, and of the others that they were there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from memrunbook.runtime.masking import Masks

_STAMP = re.compile(r"(?:<\d{1,3}>)?\[[ \d.]{1,20}\](?:\[ *[TC]\d{1,9}\])? ?", re.ASCII)
_TABLE = re.compile(r"\[ *pid *\] +uid .* name$")
_ROW = re.compile(r"(\[ *\d{1,10}\] +)((?:-?\d+ +)+)(.*)", re.ASCII)
# What is in the group `process`, `group` or `unit` gets another name, the rest stays. A line must match to its end.
_NAMES = (
    r"(?P<process>.*) invoked oom-killer: [\w=, ()|+*<>.-]*",
    r"(?:CPU: \d+ (?:UID: \d+ )?PID|Pid): \d+,? [Cc]omm: (?P<process>.*?) (?:Not tainted|Tainted: [A-Z ]+|\d).*",
    (
        r"oom-kill:constraint=\w+,nodemask=[()\w,-]*(?:,cpuset=(?P<group>.*?),mems_allowed=[\d,-]*)?"
        r"(?:,global_oom|,oom_memcg=(?P<group2>.*?))?,task_memcg=(?P<group3>.*?),task=(?P<process>.*?),pid=\d+,uid=\d+"
    ),
    r"(?:[\w ()]{0,60}: )?Kill(?:ed)? process \d+(?:, UID \d+,)? \((?P<process>.*)\)[\w :,./-]*",
    r"oom_reaper: (?:reaped process|unable to reap pid:) ?\d+ \((?P<process>.*)\)[\w :,./-]*",
    r"Tasks in (?P<group>.*) are going to be killed due to memory\.oom\.group set",
    r"Task in (?P<group>.*) killed as a result of limit of (?P<group2>.*)",
    r"Memory cgroup stats for (?P<group>.*?):[\w :.-]*",
    r"(?P<process>.*) cpuset=(?P<group>.*?) mems_allowed=[\d,-]*",
    (
        r"(?P<process>.*): page allocation (?:failure|stalls)[\w:.,=()|+ <>-]*"
        r"(?:,cpuset=(?P<group>.*?),mems_allowed=[\d,-]*)?"
    ),
    r"INFO: task (?P<process>.*):\d+ blocked for more than \d+ seconds\.",
    r"(?P<process>.*) \(\d+\): drop_caches: \d+",
    r"(?:__vm_enough_memory|[\w ]*enough_memory): pid: \d+, (?:comm: (?P<process>.*?), )?[\w: ,=.-]*",
)
_NAMED = tuple(re.compile(pattern, re.ASCII) for pattern in _NAMES)
_KINDS_OF_PAGES = "in swap cache|RAM|HighMem/MovableOnly|reserved|cma reserved|hwpoisoned|shared|non-shared"
_COUNTS = (
    r"dmesg: (?:read kernel buffer failed|klogctl|can(?:'t|not) open '?/dev/kmsg'?): [A-Z][a-z ]{1,40}",
    r"(?:Mem-Info|Call Trace|Tasks state \(memory values in pages\)|Unreclaimable slab info):",
    r"(?:memory|kmem|memory\+swap|swap): usage \d+kB, limit \d+kB, failcnt \d+",
    r" ?(?:in)?active(?:_anon|_file)?:\d+[\w :.-]*|  ?[a-z_]+:\d+(?: [a-z_]+:\d+)*",
    r"Node \d+ [\w :?()*=+,.-]*|lowmem_reserve\[\]:[ \d]*",
    rf"\d+ (?:total )?(?:pagecache pages|pages (?:{_KINDS_OF_PAGES}))[ \w]*",
    r"(?:Swap cache stats|Free swap|Total swap)[\w :=,/]*|[a-z_]{2,40} \d{1,20}",
    r"Name +Used +Total|[\w-]+ +\d+KB +\d+KB",
    r" *\??(?:\[<[\w]+>\] )?(?:\? )?[\w.]+\+0x[\da-f]+/0x[\da-f]+| *</?(?:TASK|IRQ|NMI)>",
    r"Linux version \d+\.\d+.*|Memory: \d+K/\d+K available[\w ,()-]*|warn_alloc: \d+ callbacks suppressed",
)
_PLAIN = tuple(re.compile(pattern, re.ASCII) for pattern in _COUNTS)
_VERSION = re.compile(r"(Linux version \d+\.\d+[\w.+~-]*).*")
_COMM = re.compile(r"((?:Not tainted|Tainted: [A-Z ]+) \d+\.\d+[\w.+~-]*).*")


def masked_log(text: str, masks: Masks) -> str:
    """The log's lines; those left out are told by their number, with the time of the first."""
    found = list(_lines(text.split("\n"), masks))
    return "\n".join(found) + ("\n" if text.endswith("\n") else "")


def _lines(lines: list[str], masks: Masks) -> Iterator[str]:
    left_out, first, in_table = 0, "", False
    for line in lines if lines[-1] else lines[:-1]:
        stamp = _STAMP.match(line)
        before, said = (stamp[0], line[stamp.end() :]) if stamp else ("", line)
        kept, in_table = _kept(said, masks, in_table=in_table)
        if kept is None:
            first, left_out = first or before, left_out + 1
            continue
        if left_out:
            yield f"{first}({left_out} lines left out)"
        left_out, first = 0, ""
        yield before + kept
    if left_out:
        yield f"{first}({left_out} lines left out)"


def _kept(said: str, masks: Masks, *, in_table: bool) -> tuple[str | None, bool]:
    """The line with other names; None for one that is left out. Whether rows of a table may follow."""
    row = _ROW.fullmatch(said) if in_table else None
    if row is not None:
        return row[1] + row[2] + masks.process(row[3]), True
    if _TABLE.fullmatch(said):
        return said, True
    for pattern in _NAMED:
        if found := pattern.fullmatch(said):
            return _COMM.sub(r"\1 #1", _renamed(found, masks)), False
    plain = any(pattern.fullmatch(said) for pattern in _PLAIN)
    return (_VERSION.sub(r"\1", said) if plain else None), False


def _renamed(found: re.Match[str], masks: Masks) -> str:
    how: dict[str, Callable[[str], str]] = {"process": masks.process, "group": masks.group}
    text, spans = found[0], [(found.span(name), name) for name, value in found.groupdict().items() if value is not None]
    for (start, end), name in sorted(spans, reverse=True):
        text = text[:start] + how[name.rstrip("0123456789")](text[start:end]) + text[end:]
    return text
