"""A saved kernel log in plain words: who was killed and why, who was behind it, what may help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memrunbook.core.units import format_bytes
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.category import MANUAL, PAGE_FAULT, category, is_blameless, judgement
from memrunbook.linux.oomlog.event import KernelLog, LogEvent
from memrunbook.linux.oomlog.label import whose
from memrunbook.linux.oomlog.telling import account
from memrunbook.ui.block import BLANK, Block, Grid, Span, Table, line
from memrunbook.ui.oom_event import event_rows
from memrunbook.ui.oom_failure import failure_blocks
from memrunbook.ui.oom_headline import headline
from memrunbook.ui.oom_killers import killed_by, usual
from memrunbook.ui.oom_notes import note_blocks
from memrunbook.ui.oom_waits import wait_blocks
from memrunbook.ui.problems import hint_line
from memrunbook.ui.words import plural

HINT = "save one with: dmesg > FILE, or journalctl -k -o short-monotonic > FILE"
NOT_A_LOG = "nothing in it looks like a kernel's line"
PANICKED = {
    "compulsory": "the kernel panicked (vm.panic_on_oom is 2)",
    "panic_on_oom": "the kernel panicked (vm.panic_on_oom is on)",
    "nobody": "the kernel panicked, for nobody could be killed",
}
MOST_NAMES = 3
MOST_LOOKED_AT = 100
MOST_GROUPS = 20


def oom_log_view(log: KernelLog, file: str, most: int) -> list[Block]:
    """The verdict, then the newest `most` events in full and the older ones as a table."""
    shown, older = _split(log.events, most)
    blocks: list[Block] = [_verdict(log, file), *_losses(log)]
    if older:
        blocks += [BLANK, line(f"{plural(len(older), 'older event')}, by victim"), _table(older)]
    for event in shown:
        blocks += [BLANK, _heading(event), Grid(tuple(event_rows(account(event))))]
    if _is_none(log):
        blocks += hint_line(HINT)
    return [*blocks, *failure_blocks(log, most), *wait_blocks(log, most), *note_blocks(log)]


def _is_none(log: KernelLog) -> bool:
    return not (log.kernel or log.events or headline(log))


def _split(events: Sequence[LogEvent], most: int) -> tuple[Sequence[LogEvent], Sequence[LogEvent]]:
    cut = max(0, len(events) - most)
    return events[cut:], events[:cut]


def _verdict(log: KernelLog, file: str) -> Block:
    place = Span(file, whole=True)
    real = [event for event in log.events if category(event) != MANUAL]
    beside = _of_events(real) if real else headline(log)
    if beside:
        return beside
    if not log.kernel:
        return line(Span("NO KERNEL LOG", "warning"), ": ", place, f": {NOT_A_LOG}")
    if log.events:
        return line(Span("BY HAND", "hint"), ": the OOM killer was called by a person (SysRq-f), nothing else")
    return line(Span("NO EVENT", "good"), ": no out-of-memory event in ", place)


def _of_events(real: Sequence[LogEvent]) -> Block:
    often = f"{len(real):,} times: " if len(real) > 1 else ""
    if all(_is_blameless(event) for event in real):
        known = all(judgement(event).state != "unknown" for event in real)
        words = "but memory was not short" if known else "most likely not for want of memory"
        return line(Span("PAGE FAULT FAILED", "warning"), f": {often}{_who(real)}, {words}")
    if words := usual(real):
        return line(Span("CACHED APPS ENDED", "hint"), f": {words}")
    return line(Span("OUT OF MEMORY", "critical"), f": {often}{_who(real)}{_cause(real)}")


def _is_blameless(event: LogEvent) -> bool:
    return category(event) == PAGE_FAULT and is_blameless(event)


def _who(events: Sequence[LogEvent]) -> str:
    names = Counter(_name(event) for event in events)
    parts = [
        f"{name} ({count:,}x)" if count > 1 < len(names) else name for name, count in names.most_common(MOST_NAMES)
    ]
    more = len(names) - MOST_NAMES
    return ", ".join([*parts, *([f"and {more:,} more"] if more > 0 else [])])


def _name(event: LogEvent) -> str:
    victim, owner = event.victim, explain.owner(event)
    if event.killer != "kernel":
        return killed_by(event)
    if event.panic in PANICKED:
        return PANICKED[event.panic]
    if victim is None:
        return "nobody could be killed" if event.hopeless else "a victim that the log does not show"
    done = "was killed" if event.kills or event.reaped else "was chosen"
    return f"{victim.name or f'pid {victim.pid}'} {done}" + (
        f" ({event.pod or whose(event)})" if owner.unit or owner.container else ""
    )


def _cause(events: Sequence[LogEvent]) -> str:
    """Who held most in the most of the events, where that was not the victim."""
    found = [account(event) for event in events[-MOST_LOOKED_AT:]]
    hogs = Counter((hog.name, hog.count > 1) for told in found for hog in told.hog)
    if not hogs:
        return ""
    name, many = hogs.most_common(1)[0][0]
    largest = next(hog for told in reversed(found) for hog in told.hog if (hog.name, hog.count > 1) == (name, many))
    together = f"; {largest.count:,} {name} held {format_bytes(largest.memory_bytes)} together"
    return together if many else f"; the largest was another: {name}"


def _losses(log: KernelLog) -> list[Block]:
    said = [f"{log.dropped:,} older events than these are not shown: the newest are kept"] if log.dropped else []
    said += ["The log says that lines were dropped: it may not be all."] if log.cut else []
    return [line(Span(words, "warning")) for words in said]


def _table(events: Sequence[LogEvent]) -> Table:
    groups = Counter((_name(event), category(event), event.oom_memcg or "") for event in events)
    rows = [(name, str(count), kind, group or "-") for (name, kind, group), count in groups.most_common(MOST_GROUPS)]
    rest = len(groups) - MOST_GROUPS
    more = [(f"and {rest:,} more", "", "", "")] if rest > 0 else []
    return Table(("victim", "times", "class", "limit of"), (*rows, *more))


def _heading(event: LogEvent) -> Block:
    when = [event.date] if event.date else []
    when += [f"{event.stamp:,.1f} s after boot"] if event.stamp is not None else []
    seen = f", told {event.seen} times" if event.seen > 1 else ""
    return line(Span("Event", "strong"), f"  {', '.join(when) or 'at an unknown time'}{seen}")
