"""Puts the lines of a kernel log together: events, failed allocations, notes.

An event begins with its header; where that was lost (rate limit, cut log), with the first line that only an event has.
It ends with the next one, or a minute after its last line. Lines of several processors may be mixed: where the kernel
prints who wrote them, each thread's are read on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from memrunbook.linux.oomlog import lines, memory, openvz, sums, table
from memrunbook.linux.oomlog.collection import Collection
from memrunbook.linux.oomlog.event import LogEvent, Picture
from memrunbook.linux.oomlog.frame import KERNEL, LogLine
from memrunbook.linux.oomlog.thread import Thread, is_late
from memrunbook.linux.oomlog.words import BELOW, BOOTS, INSIDE, NEARBY, OTHERS, PICTURE, REPORT, STARTS, TABLE

MOST_THREADS = 64
MOST_BELOW = 1 << 15
KILLS = (lines.kill, openvz.beancounter)
AFTERMATH = (*KILLS, lines.sharing, lines.reaped, lines.group, lines.exiting)


class Assembly:
    """What is being told at the moment, by each thread; `kept` is what was told."""

    def __init__(self) -> None:
        self.kept = Collection()
        self._threads: dict[str, Thread] = {}
        self._last = Thread()

    @property
    def is_open(self) -> bool:
        """Whether more lines of an event or a failure are awaited."""
        return any(thread.awaits for thread in self._threads.values())

    @property
    def wants_rows(self) -> bool:
        """Whether lines without any known word may be rows of a table."""
        return any(thread.columns for thread in self._threads.values())

    def take(self, line: LogLine, words: Sequence[bytes], raw: bytes) -> None:
        """Reads one line that holds these words; without any it may be a row."""
        self._last.below = None
        thread = self._thread(line)
        for word in words:
            picture = PICTURE.get(word)
            if _pictured(thread, picture, line) if picture else self._reads(word, thread, line, raw):
                return
        if line.program == KERNEL and thread.columns and thread.event:
            table.row(thread.event, thread.columns, line.text)

    def take_rows(self, block: bytes, start: int, *, mixed: bool = False) -> int:
        """Reads rows of the table that is being told, from `start` on; returns where they end."""
        thread = self._last
        if thread.event is None or not thread.columns:
            return start
        if any(other.columns for other in self._threads.values() if other is not thread):
            return start  # rows of two tables may be mixed
        layout = table.Layout(tuple(thread.columns), thread.frame)
        return table.rows(thread.event, layout, block, start, mixed=mixed)

    def take_below(self, block: bytes) -> bool:
        """Reads what stands below the last line that held a word, if that is a list of names and numbers."""
        below = self._last.below
        if below is not None:
            below(block[:MOST_BELOW].decode("utf-8", "replace"))
        return below is not None and not self.wants_rows

    def end_table(self) -> None:
        """What follows holds no more rows."""
        for thread in self._threads.values():
            thread.columns = []

    def close(self) -> None:
        """Nothing that was begun goes on."""
        self._threads = {}
        self._last = Thread()

    def _thread(self, line: LogLine) -> Thread:
        if line.caller not in self._threads:
            if len(self._threads) >= MOST_THREADS:
                self.close()
            self._threads[line.caller] = Thread()
        self._last = self._threads[line.caller]
        return self._last

    def _reads(self, word: bytes, thread: Thread, line: LogLine, raw: bytes) -> bool:
        for needle, rule in STARTS.get(word, {}).items():
            if needle in line.text and self._starts(thread, rule, line):
                return True
        readings = OTHERS.get(word) or BELOW.get(word) or NEARBY.get(word, ())
        if readings and self.kept.other(readings, thread, line):
            return True
        if word in BOOTS and self.kept.boots(line):
            self.close()
            return True
        if line.program != KERNEL:
            return False
        if word == REPORT:
            return thread.report(line)
        return self._table(thread, line, raw) if word == TABLE else _inside(thread, word, line)

    def _starts(self, thread: Thread, rule: lines.Rule, line: LogLine) -> bool:
        if line.program != KERNEL:
            return False
        told = thread.event
        if told and not told.kills and rule not in (lines.header, lines.reaped) and not is_late(told, line):
            if not rule(told, line.text):
                return False
            told.stamp = line.stamp or told.stamp
            return _counted(self.kept, thread)
        fresh = self.kept.begin(line)
        if not rule(fresh, line.text):
            return False
        thread = _teller(self._threads, thread, fresh) if rule is lines.reaped else thread
        if thread.event is None or rule is lines.header or _over(thread.event, rule, fresh, line):
            thread.open(fresh)
        else:
            rule(thread.event, line.text)
            stamp = None if rule is lines.reaped else line.stamp
            thread.event.stamp = stamp or thread.event.stamp
        return _counted(self.kept, thread)

    def _table(self, thread: Thread, line: LogLine, raw: bytes) -> bool:
        names = table.columns(line.text)
        if not names:
            return False
        if thread.event is None or thread.event.kills or is_late(thread.event, line):
            thread.open(self.kept.begin(line))
        thread.columns, thread.below = names, None
        thread.frame = raw[: raw.rindex(b"[", 0, raw.index(b"uid "))]
        self.kept.count(thread)
        return True


def _counted(kept: Collection, thread: Thread) -> bool:
    """A line of the thread's event was read: it is one."""
    if thread.event and thread.event.is_over:
        thread.columns, thread.below = [], None
        sums.close(thread.event)
    kept.count(thread)
    return True


def _teller(threads: Mapping[str, Thread], thread: Thread, fresh: LogEvent) -> Thread:
    """The reaper is a thread of its own: the one whose victim it names, else the one that told of a kill last."""
    pid = fresh.reaped[0].pid
    open_ = [one for one in threads.values() if one.event and one.event.kills]
    named = [one for one in open_ if one.event and any(kill.pid == pid for kill in one.event.kills)]
    return named[-1] if named else thread if thread.event or not open_ else open_[-1]


def _over(event: LogEvent, rule: lines.Rule, fresh: LogEvent, line: LogLine) -> bool:
    """Whether a line belongs to a new event: rate limits drop headers, never the lines of kills."""
    if is_late(event, line):
        return True
    if not event.kills or rule in (lines.sharing, lines.reaped, lines.group):
        return False
    if rule in KILLS and not event.group:
        return all(known.pid != fresh.kills[0].pid for known in event.kills)
    return rule not in AFTERMATH


def _inside(thread: Thread, word: bytes, line: LogLine) -> bool:
    """A line of an event or a failure that is being told."""
    event = thread.event if thread.event and not thread.event.kills else None  # a panic names the kernel below it
    rules = INSIDE.get(word, {})
    return any(needle in line.text and _rule(thread, event, rule, line) for needle, rule in rules.items())


def _pictured(thread: Thread, rule: Callable[[Picture, str], bool], line: LogLine) -> bool:
    event = thread.event if thread.event and not thread.event.is_over else None
    told: Picture | None = thread.failure or event
    if told is None or line.program != KERNEL or not rule(told, line.text):
        return False
    if rule is memory.caches_begin:
        thread.below = partial(memory.caches, told)
    return True


def _rule(thread: Thread, event: LogEvent | None, rule: lines.Rule, line: LogLine) -> bool:
    if thread.failure and thread.failure.pid is None and rule is lines.processor:
        thread.failure.pid = lines.pid_of(line.text)
        return thread.failure.pid is not None
    if event is None and rule is lines.usage:  # its header is lost; whether it is an event, later lines say
        thread.open(LogEvent(stamp=line.stamp, date=line.date, style=line.style))
        event = thread.event
    if event is None or not rule(event, line.text):
        return False
    if rule is lines.group_stats:
        thread.below = partial(lines.group_more, event)
    return True
