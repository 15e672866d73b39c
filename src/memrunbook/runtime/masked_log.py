"""A kernel's log with names masked: lines about memory stay, with other names in them; all others are left out.

What else a log may say (addresses, serial numbers, what programs write to it) nobody can list, and whoever may write to
/dev/kmsg can write anything. So a line stays only where all of it is known: the kernel's own words and numbers, and
names at the places where the kernel prints them, which get others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from memrunbook.linux.kernel_names import FUNCTIONS, GFP, REPORTED, release
from memrunbook.runtime.masked_lines import slab_name
from memrunbook.runtime.masking import Masks

LONGEST = 1200
"""Characters of a line; the kernel's own have at most 1,024."""
_STAMP = re.compile(r"(?:<\d{1,3}>)?\[[ \d.]{1,20}\](?:\[ *[TC]\d{1,9}\])? ?", re.ASCII)
_COLUMN = "uid|tgid|total_vm|rss(?:_anon|_file|_shmem)?|pgtables_bytes|nr_ptes|nr_pmds|swapents|oom_(?:score_)?adj|cpu"
_TABLE = re.compile(rf"\[ *pid *\](?: +(?:{_COLUMN}))+ +name", re.ASCII)
_ROW = re.compile(r"(\[ *\d{1,10}\] +)((?:-?\d+ +)+)(.*)", re.ASCII)
_FLAG = rf"(?:(?:__)?GFP_(?:{'|'.join(sorted(GFP))})|0x[\da-f]{{1,16}})"
_GFP = rf"0x[\da-f]{{1,16}}(?:\({_FLAG}(?:\|{_FLAG}){{0,40}}\))?"
_NODES = r"(?:\(null\)|[\d,-]*)"
_PLACE = rf"(?:,? *(?:nodemask={_NODES}|order[=:] ?-?\d+|mode:{_GFP}|(?:oom_(?:score_)?adj|oomkilladj)=-?\d+)),?"
_SIZE = r"(?:,? +(?:now )?(?:total-vm|vsz|anon-rss|file-rss|shmem-rss|UID|pgtables|oom_score_adj):-?\d+(?:kB)?)"
_WHERE = r" \((?:MPOL_BIND|oom_kill_allocating_task)\)| in cpuset"
_WHY = rf"(?:(?:Out of [Mm]emory|Memory cgroup out of memory|No available memory)(?:{_WHERE})?: )?"
_CPU = r"(?:CPU: \d+ (?:UID: \d+ )?PID|Pid): \d+,? [Cc]omm: "
_KERNEL = r"(?P<release>\(?\d+\.\d+\S*)(?P<rest> .*)?"
# A name stands in a group, whose name says what it is called; all around it is the kernel's. A line must match whole.
_NAMES = (
    rf"(?P<process>.*) invoked oom-killer: (?:order=-?\d+, oom_score_adj=-?\d+, )?gfp_mask={_GFP}(?:{_PLACE}){{0,4}}",
    rf"{_CPU}(?P<process>.*?) (?P<taint>Not tainted|Tainted:.*?) {_KERNEL}",
    rf"{_CPU}(?P<process>.*?) {_KERNEL}",
    (
        rf"oom-kill:constraint=CONSTRAINT_(?:NONE|CPUSET|MEMORY_POLICY|MEMCG),nodemask={_NODES}"
        r"(?:,cpuset=(?P<group>.*?),mems_allowed=[\d,-]*)?"
        r"(?:,global_oom|,oom_memcg=(?P<group2>.*?))?,task_memcg=(?P<group3>.*?),task=(?P<process>.{0,64}),pid=\d+,uid=\d+"
    ),
    (
        rf"{_WHY}Kill(?:ed)? process \d+(?:, UID \d+,)? \((?P<process>.*)\)(?:, UID \d+,)?"
        rf"(?: score \d+ or sacrifice child| sharing same memory|{_SIZE}{{0,8}})[.,]?"
    ),
    rf"oom_reaper: (?:reaped process|unable to reap pid:) ?\d+ \((?P<process>.*)\){_SIZE}{{0,4}}",
    r"Tasks in (?P<group>.*) are going to be killed due to memory\.oom\.group set",
    r"Task in (?P<group>.*) killed as a result of limit of (?P<group2>.*)",
    r"Memory cgroup stats for (?P<group>.*?):(?P<counts>(?: [a-z_]{2,40}:\d{1,18}KB)*) *",
    r"(?P<process>.*) cpuset=(?P<group>.*?) mems_allowed=[\d,-]*",
    (
        rf"(?P<process>.*): page allocation (?:failure[.:]|stalls for \d+ ?ms:?)(?:{_PLACE}){{0,4}}"
        r"(?:,cpuset=(?P<group>.*?),mems_allowed=[\d,-]*)?"
    ),
    r"INFO: task (?P<process>.*):\d+ blocked for more than \d+ seconds\.",
    r"(?P<process>.*) \(\d+\): drop_caches: \d+",
    (
        r"__vm_enough_memory: pid: \d+, comm: (?P<process>.*), (?:bytes: \d+ )?"
        r"(?:no enough memory|not enough memory)(?: for the allocation)?"
    ),
    (
        r" *\??(?:\[<[\da-f]+>\] )?(?:\? )?(?P<function>[\w.]+)\+0x[\da-f]+/0x[\da-f]+"
        r"(?: \[(?P<module>[\w-]+)(?: [\da-f]{40})?\])?"
    ),
    r"(?P<slab>\S{1,64}) +\d+KB +\d+KB",
    r"Linux version (?P<release>\d+\.\d+\S*)(?P<rest2> .*)?",
)
_NAMED = tuple(re.compile(pattern, re.ASCII) for pattern in _NAMES)
_REFUSED = re.compile(
    r"dmesg: (?:read kernel buffer failed|klogctl|can(?:'t|not) open '?/dev/kmsg'?): "
    r"(?:Operation not permitted|Permission denied|No such file or directory|Bad address|Function not implemented)",
    re.ASCII,
)
_QUANTITY = re.compile(r"(?<![\w.])\d{1,20}(?:\*\d{1,10})?(?:kB|KB|K)?(?![\w.])|\((?:[UMEHCI]{1,6})\)", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][\w+/-]*", re.ASCII)
_CLONED = re.compile(r"\d+|cold|isra|constprop|part|llvm", re.ASCII)
_BETWEEN = re.compile(r"[ :=,/()?\[\]<>-]*")


def masked_log(text: str, masks: Masks) -> str:
    """The log's lines; those left out are told by their number, with the time of the first."""
    found = list(_lines(text.split("\n"), masks))
    return "\n".join(found) + ("\n" if text.endswith("\n") else "")


def _lines(lines: list[str], masks: Masks) -> Iterator[str]:
    left_out, first, in_table = 0, "", False
    for line in lines if lines[-1] else lines[:-1]:
        stamp = _STAMP.match(line)
        before, said = (stamp[0], line[stamp.end() :]) if stamp else ("", line)
        kept, in_table = _kept(said, masks, in_table=in_table) if len(line) <= LONGEST else (None, False)
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
            return _renamed(found, masks), False
    return (said if _is_reported(said) or _REFUSED.fullmatch(said) else None), False


def _is_reported(said: str) -> bool:
    """Whether a line has numbers and words of the kernel's memory reports, and nothing else."""
    without = _QUANTITY.sub("", said)
    words = _WORD.findall(without)
    known = all(word in REPORTED or word.removesuffix("-") in REPORTED for word in words)
    return bool(words) and known and _BETWEEN.fullmatch(_WORD.sub("", without)) is not None


def _renamed(found: re.Match[str], masks: Masks) -> str | None:
    if any(word not in REPORTED for word in _WORD.findall(_QUANTITY.sub("", found.groupdict().get("counts") or ""))):
        return None
    how: dict[str, Callable[[str], str]] = {
        "process": masks.process,
        "group": masks.group,
        "slab": lambda name: slab_name(name, masks),
        "function": lambda name: _function(name, masks),
        "module": lambda name: masks.named("module", name),
        "release": lambda text: ("(" if text.startswith("(") else "") + release(text.lstrip("(")),
        "taint": lambda text: text if text == "Not tainted" else "Tainted: G",
        "rest": lambda text: " #1" if text else "",
        "counts": str,
    }
    text, spans = found[0], [(found.span(name), name) for name, value in found.groupdict().items() if value is not None]
    for (start, end), name in sorted(spans, reverse=True):
        told = "" if name == "rest2" else how[name.rstrip("0123456789")](text[start:end])
        text = text[:start] + told + text[end:]
    return text


def _function(name: str, masks: Masks) -> str:
    """A function of the kernel, with what its compiler put behind; one of a driver has a name of its maker."""
    plain, *behind = name.split(".")
    known = plain in FUNCTIONS and all(_CLONED.fullmatch(one) for one in behind)
    return name if known else masks.named("function", name)
