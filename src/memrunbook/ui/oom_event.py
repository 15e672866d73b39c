"""One out-of-memory event in plain words."""

from __future__ import annotations

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.category import category, constraint
from memrunbook.linux.oomlog.event import UNKILLABLE, USUAL_PAGE_KIB, Kill, LogEvent, Task
from memrunbook.linux.oomlog.label import whose
from memrunbook.runtime.redaction import redact
from memrunbook.ui.block import Part, Row, Span, row
from memrunbook.ui.oom_killers import killer_words, sizes
from memrunbook.ui.words import plural

UNLIMITED_KIB = 1 << 50
MOST_KILLS = 5
# What happened, what may help, what cannot: by the class of the event.
CLASSES: dict[str, tuple[str, str, str]] = {
    "global": ("the whole host was short of memory", "limit or restart the hog, more swap or RAM", ""),
    "memcg": (
        "a control group reached its own limit; the host was not short",
        "raise that limit, or restart or mend what runs in it",
        "dropping caches, swappiness, more RAM for the host",
    ),
    "cpuset": (
        "the memory nodes that the cpuset allows were full; others may have been free",
        "widen cpuset.mems",
        "freeing other nodes, killing at random",
    ),
    "mempolicy": (
        "the memory nodes of the policy were full; others may have been free",
        "change the policy (numactl, MPOL_BIND), or free that node",
        "freeing other nodes, killing at random",
    ),
    "manual": ("a person called the OOM killer (SysRq-f)", "", ""),
    "userspace": ("a killer in userspace acted, not the kernel", "its own policy", ""),
    "high-order": (
        "many pages in one piece were asked for, while memory was free",
        "compaction, fewer large requests; on 32 bit the low zone is too small",
        "more swap",
    ),
    "no-victim": ("no process could be killed", "look for oom_score_adj -1000 on too many processes", ""),
}

UNCLEAR = ("pages in one piece were asked for; the log does not show whether memory was free", "", "")


def event_rows(event: LogEvent) -> list[Row]:
    """What happened, to whom, why, who else, where the memory was, what helps, what the log does not show."""
    what, helps, useless = killer_words(event) or (CLASSES[category(event)] if _is_clear(event) else UNCLEAR)
    inferred = " (inferred: this kernel does not print it)" if constraint(event)[1] else ""
    parts: list[tuple[str, Part]] = [
        ("What", f"{what}{inferred}"),
        *_killed(event),
        ("Whose", _whose(event)),
        ("Asked by", _asked(event)),
        ("Limit", _limit(event)),
        ("Why it", _why(event)),
        ("Larger", _hog(event)),
        ("Next", _next(event)),
        ("Memory", _memory(event)),
        ("Hidden", _hidden(event)),
        ("Helps", helps),
        ("No help", useless),
        ("Reason", Span(redact(event.reason))),
        ("Not shown", ", ".join(event.missing)),
    ]
    return [row(Span(label, "strong"), body=body) for label, body in parts if _says(body)]


def _is_clear(event: LogEvent) -> bool:
    """Without a memory report a request for many pages in one piece may have failed while memory was free."""
    return category(event) != "global" or not event.order or bool(event.free_kib)


def _says(body: Part) -> bool:
    return bool(body.text) if isinstance(body, Span) else bool(body)


def _killed(event: LogEvent) -> list[tuple[str, Part]]:
    victim = event.victim
    if not event.kills and victim:
        return [("Killed" if event.reaped else "Chosen", f"{victim.name}, pid {victim.pid}")]
    rows: list[tuple[str, Part]] = [("Killed" if n == 0 else "and", _kill(k)) for n, k in enumerate(event.kills)]
    more = len(rows) - MOST_KILLS
    together = ("Together", "all of its group die with it (memory.oom.group)") if event.group else ("", "")
    return [*rows[:MOST_KILLS], ("and", f"{more:,} more" if more > 0 else ""), together]


def _kill(kill: Kill) -> str:
    parts = {"anonymous": kill.anonymous_kib, "file": kill.file_kib, "shared": kill.shared_kib}
    held = [f"{words} {_kib(size)}" for words, size in parts.items() if size]
    uid = [] if kill.uid is None else [f"uid {kill.uid}"]
    return ", ".join([kill.name, f"pid {kill.pid}", *uid, *held, *sizes(kill)])


def _whose(event: LogEvent) -> str:
    name, group = whose(event), event.task_memcg or ""
    unit = explain.owner(event).unit
    named = [name] if name in ("", unit) or " of user " in name or not unit else [name, unit]
    return f"{', '.join(named)}: {group}" if name and group and name != group else name


def _asked(event: LogEvent) -> str:
    if event.gfp is None and event.trigger is None:
        return ""
    pid = f", pid {event.trigger_pid}" if event.trigger_pid else ""
    order = event.order or 0
    pages = f" for {plural(1 << order, 'page')} in one piece" if 0 < order < 64 else ""  # noqa: PLR2004  no such order
    return f"{event.trigger or 'not printed'}{pid}{pages}"


def _limit(event: LogEvent) -> str:
    if event.oom_memcg is None and event.limit_kib is None:
        return ""
    used = "" if event.usage_kib is None else f": {_kib(event.usage_kib)} used"
    size = event.limit_kib
    limit = "" if size is None else " of no limit" if size > UNLIMITED_KIB else f" of {_kib(size)}"
    return f"{event.oom_memcg or 'its control group'}{used}{limit}"


def _why(event: LogEvent) -> str:
    """The kernel kills whom it gives the most points: memory, swap, page tables, and oom_score_adj."""
    if event.score is not None and event.selected:
        return f"{event.selected.name}, pid {event.selected.pid}, had the highest score: {event.score:,}"
    victim = explain.victim_row(event)
    if victim is None:
        return ""
    first = event.likeliest and event.likeliest[0].pid == victim.pid
    most = f"most points of {event.tasks:,} in the table" if first else "not the most points of the table"
    return f"{most}: {_held(event, victim)}"


def _hog(event: LogEvent) -> Part:
    hog = explain.hog(event)
    if hog is None:
        return ""
    protected = "; protected by oom_score_adj" if explain.is_protected(hog) else ""
    return Span(f"{hog.name}, pid {hog.pid}, was larger than the victim: {_held(event, hog)}{protected}", "warning")


def _next(event: LogEvent) -> str:
    task = explain.next_victim(event)
    return f"{task.name}, pid {task.pid}: {_held(event, task)}" if task else ""


def _held(event: LogEvent, task: Task) -> str:
    page = explain.page_kib(event) or USUAL_PAGE_KIB
    swap = f", {_kib(task.swap * page)} in swap" if task.swap else ""
    adjusted = task.oom_score_adj or 0
    adjustment = f", oom_score_adj {adjusted}" if adjusted else ""
    never = " (never killed)" if adjusted == UNKILLABLE else ""
    return f"{_kib(task.rss * page)} in memory{swap}{adjustment}{never}"


def _memory(event: LogEvent) -> str:
    told = explain.memory(event)
    sizes = {
        "free": told.free_kib,
        "anonymous": told.anonymous_kib,
        "file": told.file_kib,
        "shared and tmpfs": told.shmem_kib,
        "slab": _sum(told.slab_reclaimable_kib, told.slab_unreclaimable_kib),
        "huge pages": told.hugetlb_kib or None,
        "page tables": told.page_tables_kib,
    }
    parts = [f"{words} {_kib(size)}" for words, size in sizes.items() if size is not None]
    if told.total_swap_kib is not None:
        parts.append(f"swap free {_kib(told.free_swap_kib or 0)} of {_kib(told.total_swap_kib)}")
    whole = [] if told.total_kib is None or told.group else [f"{_kib(told.total_kib)} RAM"]
    return ", ".join([*whole, *parts])


def _hidden(event: LogEvent) -> Part:
    where, size = explain.hidden_in(event), explain.hidden_kib(event)
    return Span(f"{_kib(size)} are in no process, most of it in {where}", "warning") if where and size else ""


def _sum(*sizes: int | None) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _kib(size: int) -> str:
    return format_bytes(size * KIB)
