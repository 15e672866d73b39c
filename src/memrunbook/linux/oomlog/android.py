"""Android's killers: the driver lowmemorykiller of its kernels up to 4.x, and lmkd, also as logcat prints it."""

from __future__ import annotations

import re
from typing import NamedTuple

from memrunbook.linux.oomlog.event import USUAL_PAGE_KIB, Kill, LogEvent, LogNote
from memrunbook.linux.oomlog.frame import KERNEL, LogLine
from memrunbook.linux.oomlog.killers import NOT_KILLED

DRIVER, DAEMON = "lowmemorykiller", "lmkd"
_WORDS = DRIVER, DAEMON, "sigkill"
_KILLING = re.compile(
    r"Kill(?:ing)? '(?P<name>.{0,255}?)' \((?P<pid>\d{1,10})\)(?: \(tgid \d+\))?, (?:uid (?P<uid>\d{1,10}), )?"
    r"(?:oom_)?(?:score_)?adj (?P<adj>-?\d{1,5})(?:, score_adj (?P<score_adj>-?\d{1,5}))?"
)
_SIGKILL = re.compile(
    r"(?:.*: )?send sigkill to (\d{1,10}) \((.*)\), (?:oom_)?(?:score_)?adj (-?\d{1,5})(?:, score_adj (-?\d{1,5}))?"
    r".*?, size (\d{1,12})\b"
)
_WATCHDOG = re.compile(r"lmkd watchdog killed process (\d{1,10}), oom_score_adj (-?\d{1,5})")
_LOGCAT = re.compile(  # brief, tag, threadtime, time and epoch; the tag stands in front of the text
    r"(?P<date>\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}|\d{9,11}\.\d{1,9})? *(?:\d+ +\d+ +)?[VDIWEF][ /](?:lowmemorykiller|lmkd)"
)
_FREES = re.compile(r"to free (\d{1,12})kB(?: rss, (\d{1,12})kB swap)?")
_ASKED = re.compile(r"on behalf of '(.{0,64}?)' \((\d{1,10})\)")
_LIMIT = re.compile(r"(cache \d{1,12}kB is below limit \d{1,12}kB)")
_REASON = re.compile(r"reason: (.{1,200})|because (system is under \w+ memory pressure)")
_MORE = re.compile(
    r"\bto free \d{1,12}kB (?:\(|on behalf of '|because )|\bcache \d{1,12}kB is below limit \d{1,12}kB for oom"
)


class More(NamedTuple):
    """A line in which the last of their kills goes on: what it freed, for whom and why."""

    text: str


def read_android(line: LogLine) -> LogEvent | LogNote | None:
    """A process that one of both killed, or memory that a vendor's lmkd freed in another way."""
    if not any(word in line.text for word in _WORDS):
        return None
    found = _KILLING.search(line.text)
    if found:
        return _killing(line, found)
    sent = _SIGKILL.match(line.text) if line.program == KERNEL else None
    if sent:
        size, adjusted = int(sent[5]) * USUAL_PAGE_KIB, int(sent[4] or sent[3])
        kill = Kill(int(sent[1]), sent[2], oom_score_adj=adjusted, rss_kib=size)
        return LogEvent(line.stamp, DRIVER, kills=[kill], reason=line.text, date=line.date, style=line.style)
    watched = _WATCHDOG.search(line.text)
    if watched:
        kill = Kill(int(watched[1]), "", oom_score_adj=int(watched[2]))
        return LogEvent(line.stamp, DAEMON, kills=[kill], reason=watched[0], date=_date(line))
    if "Skipping kill; " in line.text:
        return LogNote(NOT_KILLED, line.stamp, _date(line), DAEMON, detail="it freed memory elsewhere instead")
    return None


def _killing(line: LogLine, found: re.Match[str]) -> LogEvent | None:
    daemon = bool(found["uid"]) or f"{DAEMON}: " in line.text or _LOGCAT.search(line.text) is not None
    if not daemon and (line.program != KERNEL or DRIVER not in line.text):
        return None
    kill = Kill(
        int(found["pid"]),
        found["name"],
        uid=int(found["uid"]) if found["uid"] else None,
        oom_score_adj=int(found["score_adj"] or found["adj"]),
    )
    event = LogEvent(line.stamp, DAEMON if daemon else DRIVER, kills=[kill], date=_date(line), style=line.style)
    goes_on(event, More(line.text[found.end() :]))
    return event


def read_more(line: LogLine) -> More | None:
    """A line of the driver or of an older lmkd that says more of the kill above it."""
    return More(line.text) if "kB " in line.text and _MORE.search(line.text) else None


def goes_on(event: LogEvent, more: More) -> None:
    """Fills in what is freed, for whom and why: all in one line where its newlines are escaped or joined."""
    frees, asked = _FREES.search(more.text), _ASKED.search(more.text)
    said = _REASON.search(more.text) or _LIMIT.search(more.text)
    if frees and event.kills[0].rss_kib is None:
        swap = int(frees[2]) if frees[2] else None
        event.kills[0] = event.kills[0]._replace(rss_kib=int(frees[1]), swap_kib=swap)
    if asked and event.trigger is None:
        event.trigger, event.trigger_pid = asked[1], int(asked[2])
    if said and not event.reason:
        event.reason = next(filter(None, said.groups())).strip()


def _date(line: LogLine) -> str:
    found = None if line.date else _LOGCAT.search(line.text)
    return found["date"] or "" if found else line.date
