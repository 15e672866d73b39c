"""The lines inside one out-of-memory event: what each of them adds to it."""

from __future__ import annotations

import re
from collections.abc import Callable

from memrunbook.linux.oomlog.event import CPUSET, MEMCG, MOST_KILLS, POLICY, Kill, LogEvent, TaskRow
from memrunbook.linux.oomlog.frame import bare_name

NUMBER = r"\d{1,18}"
"""A number with more digits is none of a kernel's, and such a line is not the kernel's."""
_HEADER = re.compile(
    r"(?:(.*) invoked |invoked )?oom-killer: (?:order=(-?\d{1,9}), oom_score_adj=-?\d+, )?gfp_mask=(0x[0-9a-f]+)"
    r"(?:\(([^)]*)\))?,?(?: nodemask=(\S*?), +)?(?: ?order=(-?\d{1,9})\b)?"
)
_VERSION = r"(?:.*(?:Not tainted *+|Tainted:[A-Z -]*+)|.*? )\(?(\d+\.\d+[^\s)]*) "
_CPU = re.compile(rf"CPU: {NUMBER} (?:UID: {NUMBER} )?PID: ({NUMBER}) Comm: {_VERSION}")
_PID = re.compile(rf"Pid: ({NUMBER}), comm: {_VERSION}")
_CPUSET = re.compile(r".* cpuset=(.*) mems_allowed=([\d,-]*)$")
_LIMIT = re.compile(r"Task in (.*) killed as a result of limit of (.*)$")
_USAGE = re.compile(r"(memory|kmem|memory\+swap): usage (\d{1,20})kB, limit (\d{1,20})kB")
UNDERFLOWN_KIB = 1 << 53
"""A counter that went below zero prints as 2^64 bytes, less a little; no host has so much."""
_STATS = re.compile(r"Memory cgroup stats for (.*?):(?: cache:.*)?$|Memory cgroup stats for (.*)$")
_GROUP_KIB = re.compile(rf"\b([a-z_]{{2,40}}):({NUMBER})KB")
_GROUP_BYTES = re.compile(rf"[ \t\]:;\n]([a-z_]{{2,40}}+) ({NUMBER}+)(?=\n)")
_SUMMARY = re.compile(
    r"oom-kill:constraint=(\w+),nodemask=(\(null\)|[\d,-]*?)"
    r"(?:,cpuset=(.*?),mems_allowed=([\d,-]*?))?(?:,global_oom|,oom_memcg=(.*?))?"
    rf",task(?:_memcg)?=(.*),pid=({NUMBER}),uid=({NUMBER})\W*$"  # neither is there without control groups
)
SUMMARY = "oom-kill:constraint"
_LOOSE = re.compile(r"(?<=[:,])[ \t]+(?=[a-z_]+=)")
"""Blanks that people put between the parts of that line, or that a line broken by hand leaves there."""
_CONSTRAINT = re.compile(r"oom-kill:constraint=(\w+)")
_PART = re.compile(r",(nodemask|oom_memcg|task_memcg|task|pid|uid)=(.*?)(?=,(?:\w+=|global_oom)|$)")
_CHOICE = re.compile(rf"(?:.*: )?[Kk]ill process ({NUMBER}) \((.*)\) score ({NUMBER}) (?:or|and) ")
_SHARING = re.compile(rf"Kill process ({NUMBER}) \((.*)\) sharing same memory")
_KILL = re.compile(
    # in an event of Kubernetes, both lines are one
    r"(?:(.*?): )?(?:Kill process \d{1,10} \(.{0,64}?\) score \d{1,10} or sacrifice child(?:\\n|\s+))?"
    rf"Killed process ({NUMBER})(?:, UID ({NUMBER}),)? ?(?:\((.*)\))?(?:, UID ({NUMBER}),)? +"
    rf"(?:total-vm|vsz):({NUMBER})kB"
    rf"(?:,? +anon-rss:({NUMBER})kB)?(?:,? +file-rss:({NUMBER})kB)?(?:,? +shmem-rss:({NUMBER})kB)?"
    rf"(?:,? +UID:({NUMBER}))?(?:,? +pgtables:({NUMBER})kB)?(?:,? +oom_score_adj:(-?\d{{1,5}}))?"
)
_KILL_BARE = re.compile(rf"(?:(.*?): )?Killed process ({NUMBER})(?:, UID ({NUMBER}),)? ?\((?:(.*)\)[^)]*|(.*))$")
_EXITING = re.compile(rf"(?:.*?: )?OOM victim ({NUMBER}) \((.*)\) is already exiting")
_PANIC = re.compile(r"(?i)not syncing: (?:(?:.*: )?out of memory|system is deadlocked on memory)")
_CONSTRAINTS = {"(MPOL_BIND)": POLICY, "in cpuset": CPUSET, "emory cgroup out of": MEMCG}
KIB = 1024
UNKNOWN_PID = 0
REAPER = "oom_reaper: "
_REAPED = re.compile(rf"{REAPER}(?:reaped process|unable to reap pid:) ?({NUMBER}) \((.*)\)")


def header(event: LogEvent, text: str) -> bool:
    """The first line: who asked for memory. Each function here says whether the line was one of its kind."""
    found = _HEADER.match(text)
    if found:
        event.trigger = None if found[1] is None else bare_name(found[1])
        event.gfp, event.flags, event.nodemask = found[3], found[4], found[5]
        event.order = _number(found[2] or found[6])
        event.by_hand = (event.order or 0) < 0
    return found is not None


def processor(event: LogEvent, text: str) -> bool:
    found = _CPU.search(text) or _PID.search(text)
    if found and event.kernel is None:
        event.trigger_pid, event.kernel = int(found[1]), found[2]
    return found is not None


def by_hand(event: LogEvent, text: str) -> bool:
    event.by_hand = event.by_hand or "moom_callback" in text
    return event.by_hand


def cpuset(event: LogEvent, text: str) -> bool:
    found = _CPUSET.match(text)
    if found and event.mems_allowed is None:
        event.cpuset, event.mems_allowed = found[1], found[2]
    return found is not None


def limit(event: LogEvent, text: str) -> bool:
    found = _LIMIT.match(text)
    if found:
        event.task_memcg, event.oom_memcg = found[1], found[2]
        event.constraint, event.inferred = MEMCG, True
    return found is not None


def usage(event: LogEvent, text: str) -> bool:
    """Usage and limit of the group; a counter that underflowed says nothing of the usage, and the limit still holds."""
    found = _USAGE.match(text)
    if found and event.limit_kib is None:
        event.usage_kib, event.limit_kib = _counter(found[2]), min(int(found[3]), UNDERFLOWN_KIB)
    return found is not None


def kmem(event: LogEvent, text: str) -> bool:
    """Kernel memory of the group: version 1 counts it apart, and may limit it apart."""
    known = beside(event, text)
    if "kmem" in event.beside:
        event.group_kib.setdefault("kmem", event.beside["kmem"][0])
    return known


def beside(event: LogEvent, text: str) -> bool:
    """A limit of version 1 beside that of the memory: of kernel memory, or of memory and swap together."""
    found = _USAGE.match(text)
    used = _counter(found[2]) if found else None
    if found and used is not None:
        event.beside.setdefault(found[1], (used, min(int(found[3]), UNDERFLOWN_KIB)))
    return found is not None


def page_fault(event: LogEvent, text: str) -> bool:
    """In the trace: no request for memory failed, a page fault did (before 5.16)."""
    event.page_fault = True
    return bool(text)


def group_stats(event: LogEvent, text: str) -> bool:
    """What the group of the limit holds; version 1 prints a line for each group below it, and each its own only."""
    found = _STATS.match(text)
    if found is None:
        return False
    if event.oom_memcg is None:
        event.oom_memcg = (found[1] or found[2] or "").partition("#012")[0].rstrip(":")
    for name, value in _GROUP_KIB.findall(text):
        event.group_kib[name] = event.group_kib.get(name, 0) + int(value)
    group_lines(event, text.replace("#012", "\n"))
    return True


def group_lines(event: LogEvent, text: str) -> None:
    """The lines below it of 5.3 and later, in bytes; the first of a name counts."""
    for name, value in _GROUP_BYTES.findall(f"\n{text}\n"):
        event.group_kib.setdefault(name, int(value) // KIB)


def group_more(event: LogEvent, text: str) -> None:
    """What stands below: the lines of 5.3 and later, or the rest of the older line where a mail program broke it."""
    group_lines(event, text)
    for name, value in _GROUP_KIB.findall(text):
        event.group_kib[name] = event.group_kib.get(name, 0) + int(value)


def summary(event: LogEvent, text: str) -> bool:
    """The line of 5.0 and later. Paths and names may hold commas: the name is split off when the kill line names it."""
    text, blanks = _LOOSE.subn("", text)
    place = text.find(SUMMARY)
    found = _SUMMARY.match(text, place) if place >= 0 else None
    if found is None:
        return place >= 0 and _cut_summary(event, text, place, loose=blanks > 0)
    event.constraint, event.inferred = found[1], False
    event.nodemask, event.cpuset, event.mems_allowed, event.oom_memcg = found[2], found[3], found[4], found[5]
    path, _, name = found[6].rpartition(",task=")
    event.task_memcg, event.chosen, event.chosen_uid = path or None, TaskRow(int(found[7]), name), int(found[8])
    return True


def _cut_summary(event: LogEvent, text: str, place: int, *, loose: bool) -> bool:
    """What a pager or a person left of it: a path counts where the part behind it has begun, for it may be cut too.

    `loose`: a person wrote it down, and a name at the end is whole.
    """
    found = _CONSTRAINT.match(text, place)
    if found is None:
        return False
    parts = {
        part[1]: part[2] for part in _PART.finditer(text, place) if "memcg" not in part[1] or part.end() < len(text)
    }
    event.constraint, event.inferred = found[1], False
    event.oom_memcg, event.task_memcg = (
        parts.get("oom_memcg", event.oom_memcg),
        parts.get("task_memcg", event.task_memcg),
    )
    event.nodemask, pid = parts.get("nodemask", event.nodemask), parts.get("pid", "")
    if parts.get("task") and loose:
        event.chosen = TaskRow(int(pid) if pid.isdecimal() else UNKNOWN_PID, parts["task"])
    return True


def choice(event: LogEvent, text: str) -> bool:
    found = _CHOICE.match(text)
    if found:
        event.selected, event.score = TaskRow(int(found[1]), found[2]), int(found[3])
        _infer(event, text)
    return found is not None


def kill(event: LogEvent, text: str) -> bool:
    """A killed process; one that is named twice (memory.oom.group) counts once."""
    new = _read_kill(text)
    if new is None:
        return False
    if event.chosen and event.chosen.pid == UNKNOWN_PID:
        event.chosen = event.chosen._replace(pid=new.pid)
    if not new.name and event.chosen and event.chosen.pid == new.pid:
        new = new._replace(name=event.chosen.name)
    _add(event, new)
    _infer(event, new.message or "")
    _split_summary(event, new)
    return True


def sharing(event: LogEvent, text: str) -> bool:
    found = _SHARING.match(text)
    if found:
        _add(event, Kill(int(found[1]), found[2]))
    return found is not None


def exiting(event: LogEvent, text: str) -> bool:
    """A victim that was on its way out already is not killed: its memory comes back by itself."""
    found = _EXITING.match(text)
    if found and not event.kills:  # of a group, others were killed
        event.chosen, event.reason = TaskRow(int(found[1]), found[2]), text
    return found is not None


def reaped(event: LogEvent, text: str) -> bool:
    found = _REAPED.match(text, max(0, text.find(REAPER)))
    if found and len(event.reaped) < MOST_KILLS:
        event.reaped.append(TaskRow(int(found[1]), found[2]))
    return found is not None


def group(event: LogEvent, text: str) -> bool:
    begins = text.startswith("Tasks in ")
    event.group = event.group or begins
    return begins


def hopeless(event: LogEvent, text: str) -> bool:
    event.hopeless, event.reason = True, text
    if "not syncing" in text:
        event.panic = event.panic or "nobody"
    return True


def panic(event: LogEvent, text: str) -> bool:
    found = _PANIC.search(text)
    if found:
        event.panic = "compulsory" if "ompulsory" in text else "panic_on_oom" if "panic_on_oom" in text else "nobody"
    return found is not None and hopeless(event, text)


def pid_of(text: str) -> int | None:
    """The pid in the line that follows a header: `CPU: 0 PID: 1 Comm: …` or `Pid: 1, comm: …`."""
    found = _CPU.search(text) or _PID.search(text)
    return int(found[1]) if found else None


Rule = Callable[[LogEvent, str], bool]


def _read_kill(text: str) -> Kill | None:
    sized = _KILL.match(text)
    if sized:
        total, anonymous, file, shared = (_number(sized[place]) for place in (6, 7, 8, 9))
        uid = _number(sized[3] or sized[5] or sized[10])
        page_tables, adjustment = _number(sized[11]), _number(sized[12])
        return Kill(
            int(sized[2]), sized[4] or "", sized[1], total, anonymous, file, shared, uid, page_tables, adjustment
        )
    bare = _KILL_BARE.match(text)
    return Kill(int(bare[2]), bare[4] or bare[5] or "", bare[1], uid=_number(bare[3])) if bare else None


def _add(event: LogEvent, new: Kill) -> None:
    if len(event.kills) < MOST_KILLS and all(new.pid != known.pid for known in event.kills):
        event.kills.append(new)


def _counter(digits: str) -> int | None:
    return None if int(digits) >= UNDERFLOWN_KIB else int(digits)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _infer(event: LogEvent, message: str) -> None:
    said = [constraint for words, constraint in _CONSTRAINTS.items() if words in message]
    if said and event.constraint is None:
        event.constraint, event.inferred = said[0], True


def _split_summary(event: LogEvent, new: Kill) -> None:
    if event.chosen is None or event.chosen.pid != new.pid or event.task_memcg is None:
        return
    joined, tail = f"{event.task_memcg},task={event.chosen.name}", f",task={new.name}"
    if joined.endswith(tail):
        event.task_memcg, event.chosen = joined.removesuffix(tail), TaskRow(new.pid, new.name)
