"""Reads a kernel log line by line: cheap looks for substrings first, patterns only where one was found.

An event begins with its header; where that was lost (rate limit, cut log), with the first line that only an event has.
It ends with the next one, or a minute after its last line. Its lines are looked for only until somebody was killed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from memrunbook.core.oomlog import killers, lines, table
from memrunbook.core.oomlog.event import Event, Failure, KernelLog
from memrunbook.core.oomlog.frame import KERNEL, Line, unframe

MOST = 1000
"""Events, and failures, that are kept: the newest ones."""
LONGEST = 4096
"""Characters of a line that are looked at: the kernel's own lines have at most 1,024."""
LULL = 60.0
PATIENCE = 100_000
"""Lines after which an event that kills nobody is given up."""

_FAILURE = re.compile(
    r"(.*): page allocation failure[.:] order:(\d{1,3}), mode:(0x[0-9a-f]{1,16})(?:\(([^)]*)\))?", re.DOTALL
)
STARTS: dict[str, lines.Rule] = {
    "invoked oom-killer": lines.header,
    "killed as a result": lines.limit,
    "oom-kill:constraint": lines.summary,
    " score ": lines.choice,
    "Killed process": lines.kill,
    "sharing same memory": lines.sharing,
    "oom_reaper": lines.reaped,
    "oom.group set": lines.group,
    "no killable processes": lines.hopeless,
    "not syncing: Out of memory": lines.hopeless,
}
INSIDE: dict[str, lines.Rule] = {
    "PID: ": lines.processor,
    "Pid: ": lines.processor,
    "moom_callback": lines.by_hand,
    "mems_allowed=": lines.cpuset,
    "memory: usage": lines.usage,
    "cgroup stats for": lines.group_stats,
    " free:": lines.zone,
    " swap ": lines.swap,
    "pages RAM": lines.ram,
}
AFTERMATH = (lines.kill, lines.sharing, lines.reaped, lines.group)
OTHERS = ("allocation failure", "SLUB: Unable", "enough_memory: pid", "oomd", "earlyoom", "suppressed", "dropped **")


def read_log(log: Iterable[str]) -> KernelLog:
    """Reads a whole log in one pass, whatever its bytes; needs memory for its events only."""
    reader = _Reader()
    for line in log:
        reader.take(line)
    return reader.result()


class _Reader:
    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=MOST)
        self._failures: deque[Failure] = deque(maxlen=MOST)
        self._event: Event | None = None
        self._counts = False  # the open event is one; else only a memory report was seen, of whatever
        self._columns: list[str] = []
        self._failure: Failure | None = None
        self._left = 0
        self._slub = self._refusals = 0
        self._cut = False

    def take(self, raw: str) -> None:
        for needle, rule in STARTS.items():
            if needle in raw and self._starts(rule, unframe(raw[:LONGEST].rstrip("\n"))):
                return
        for needle in OTHERS:
            if needle in raw:
                self._other(needle, unframe(raw[:LONGEST].rstrip("\n")))
                return
        if self._left:
            self._left -= 1
            self._inside(raw)
        elif "Mem-" in raw or " pid " in raw or (self._failure and ("PID: " in raw or "Pid: " in raw)):
            self._inside(raw)

    def result(self) -> KernelLog:
        return KernelLog(tuple(self._events), tuple(self._failures), self._slub, self._refusals, self._cut)

    def _starts(self, rule: lines.Rule, line: Line) -> bool:
        if line.program != KERNEL:
            return False
        fresh = Event(stamp=line.stamp)
        if not rule(fresh, line.text):
            return False
        if self._event is None or rule is lines.header or self._over(self._event, rule, fresh, line):
            self._open(fresh, counts=True)
        else:
            self._count(self._event)
            rule(self._event, line.text)
            self._event.stamp = line.stamp if rule is not lines.reaped and line.stamp else self._event.stamp
        if rule in (lines.kill, lines.hopeless):
            self._left = 0
        return True

    def _over(self, event: Event, rule: lines.Rule, fresh: Event, line: Line) -> bool:
        """Whether a line belongs to a new event: rate limits drop headers, never the lines of kills."""
        if _late(event, line):
            return True
        if not event.kills or rule in (lines.sharing, lines.reaped, lines.group):
            return False
        if rule is lines.kill and not event.group:
            return all(known.pid != fresh.kills[0].pid for known in event.kills)
        return rule not in AFTERMATH

    def _open(self, event: Event, *, counts: bool) -> None:
        self._event, self._counts, self._columns, self._left = event, False, [], PATIENCE
        if counts:
            self._count(event)

    def _count(self, event: Event) -> None:
        if not self._counts:
            self._events.append(event)
            self._counts = True

    def _inside(self, raw: str) -> None:
        line = unframe(raw[:LONGEST].rstrip("\n"))
        if self._failure and self._claims_pid(self._failure, line):
            return
        event = self._event
        names = table.columns(line.text) if " pid " in raw else []
        report = line.text.startswith("Mem-")
        if (names or report) and (event is None or _late(event, line) or (names and event.kills)):
            event = Event(stamp=line.stamp)
            self._open(event, counts=bool(names))
        if event is None or event.kills:
            return
        if names:
            self._columns = names
            self._count(event)
        elif not (self._columns and table.row(event, self._columns, line.text)):
            _add(event, line.text)

    def _claims_pid(self, failure: Failure, line: Line) -> bool:
        pid = lines.pid_of(line.text)
        if pid is not None:
            failure.pid, self._failure = pid, None
        return pid is not None

    def _other(self, needle: str, line: Line) -> None:
        if needle == "allocation failure":
            self._fails(line)
        elif needle == "SLUB: Unable":
            self._slub += 1
        elif needle == "enough_memory: pid":
            self._refusals += 1
        elif needle in ("oomd", "earlyoom"):
            found = killers.read_killer(line)
            if found:
                self._events.append(found)
        else:
            self._cut = True

    def _fails(self, line: Line) -> None:
        found = _FAILURE.match(line.text)
        if found and line.program == KERNEL:
            self._failure = Failure(line.stamp, found[1], int(found[2]), found[3], found[4])
            self._failures.append(self._failure)


def _late(event: Event, line: Line) -> bool:
    """Whether too much time passed for the same event; a clock that went back is another boot."""
    return event.stamp is not None and line.stamp is not None and not 0 <= line.stamp - event.stamp <= LULL


def _add(event: Event, text: str) -> None:
    for needle, rule in INSIDE.items():
        if needle in text and rule(event, text):
            return
