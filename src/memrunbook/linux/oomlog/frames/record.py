"""A record of a collector, of whatever schema, as lines of a log: its text, who wrote it, and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from memrunbook.linux.oomlog.frame import KERNEL, PROGRAMS, unframe
from memrunbook.linux.oomlog.frames import moment
from memrunbook.linux.oomlog.frames.moment import Pairs

Peel = Callable[[str], str]
"""Takes off what a record's text is wrapped in itself."""
MESSAGES = (
    "MESSAGE", "message", "@message", "Message", "textPayload", "msg", "log", "line", "text", "_raw", "raw", "body",
    "stringValue", "original", "_line", "event", "content", "output", "data", "payload", "RenderedDescription",
    "full_message", "short_message", "SyslogMessage", "syslog_message", "Body", "LogMessage", "log_message", "Log",
    "rawMessage", "dmesg", "stdout",
)  # fmt: skip
"""The fields that hold a record's text, the likeliest first; one that holds another object is looked into."""
PROGRAM_FIELDS = (
    "SYSLOG_IDENTIFIER", "syslog_identifier", "identifier", "ident", "appname", "app_name", "program", "ProcessName",
)  # fmt: skip
KERNELS = {"kernel", "kern", "dmesg", "kmsg", "klog"}
TRANSPORTS = ("_TRANSPORT", "transport", "__journal__transport", "__journal_transport")
NO_RECORDS = {"attributes", "labels", "resource", "tags", "metadata", "kubernetes", "host", "agent", "ecs", "schema"}
JOURNAL = {"__CURSOR", "_BOOT_ID", "_MACHINE_ID", "__REALTIME_TIMESTAMP"}
WHOLE, LONGEST_LINE = 3, 200
"""Lines of a text that is a whole log, under whatever name, where one of them speaks of memory."""
_SAYS = re.compile(r"oom-kill|[Oo]ut of memory|page allocation (?:failure|stalls)|Killed process")
PAIR, DEEPEST = (2, 3), 24
"""Values of Loki: the time, the line, and what is known of it."""


class Entry(NamedTuple):
    """A record: `when` orders it among others, None where it says no time; `text` are its lines, without a frame."""

    when: float | None
    fields: Pairs
    text: str


def entries(value: object, above: Pairs | None = None, depth: int = 0) -> Iterator[Entry]:
    """The records in a JSON value, in their order; what stands around them holds for each."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        yield from _listed(value, above or {}, depth)
    elif isinstance(value, dict):
        known = {**(above or {}), **{name: one for name, one in value.items() if not isinstance(one, dict)}}
        text = _message(value)
        if text is not None:
            yield from _said(text, known, depth)
            return
        for name, inner in value.items():
            if name == "stream" and isinstance(inner, dict):  # the labels of Loki
                known |= inner
            elif isinstance(inner, dict | list) and name not in NO_RECORDS:
                around = known if name != "fields" else {**known, **value}
                yield from entries(inner, around, depth + 1)


def lines(entry: Entry) -> str:
    """An entry's lines, each with its time and its program in front; none where another program wrote it."""
    program = _program(entry.fields)
    if program is None:
        return ""
    first, _, _ = entry.text.partition("\n")
    told = unframe(first)
    date, stamp = moment.printed(entry.fields)
    if told.date:
        return entry.text + "\n"
    if program:
        clock = f"[{stamp:12.6f}] " if stamp is not None and told.stamp is None else ""
        front = f"{date} host {program}: {clock}" if date else f"{clock}host {program}: "
    else:
        clock = f"[{stamp:12.6f}]{_caller(entry.fields)} " if stamp is not None and told.stamp is None else ""
        front = f"{date} {clock}" if date else clock
    return "".join(f"{front}{line}\n" for line in entry.text.split("\n"))


def told(kept: Sequence[Entry], peel: Peel) -> bytes:
    """The lines of records, the oldest first."""
    text = "".join(lines(entry._replace(text=peel(entry.text))) for entry in _ordered(kept))
    return text.encode("utf-8", "replace")


def _ordered(kept: Sequence[Entry]) -> Sequence[Entry]:
    """Records in the order of their times; an export that is newest first is turned as a whole."""
    times = [entry.when for entry in kept if entry.when is not None]
    if len(times) < len(kept):
        return kept
    falls = sum(b < a for a, b in pairwise(times))
    rises = sum(b > a for a, b in pairwise(times))
    turned = kept[::-1] if falls > rises else kept
    return sorted(turned, key=lambda entry: entry.when or 0.0) if falls else turned


def _listed(values: list[Any], above: Pairs, depth: int) -> Iterator[Entry]:
    if len(values) in PAIR and isinstance(values[0], str | int | float) and isinstance(values[1], str):
        yield from _said(values[1], {**above, "timestamp": values[0]}, depth)
    elif values and all(isinstance(one, dict) and {"field", "value"} <= one.keys() for one in values):
        yield from entries({one["field"]: one["value"] for one in values}, above, depth + 1)  # CloudWatch Insights
    else:
        for one in values:
            yield from entries(one, above, depth + 1)


def _said(text: str, fields: Pairs, depth: int) -> Iterator[Entry]:
    """One entry; where the text is a record itself, that one's."""
    if text[:1] == "{" and depth < DEEPEST:
        try:
            inner = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            inner = None
        told = list(entries(inner, fields, depth + 1))
        if told:
            yield from told
            return
    yield Entry(moment.order(fields), fields, text.replace("\r\n", "\n").strip("\r\n\0"))


def _message(fields: Pairs) -> str | None:
    whole = [one for one in fields.values() if isinstance(one, str) and _is_whole(one)]
    if whole:
        return max(whole, key=len)
    for name in MESSAGES:
        text = _text(fields.get(name))
        if text is not None:
            return text
    return None


def _is_whole(text: str) -> bool:
    return len(text) > LONGEST_LINE and text.count("\n") >= WHOLE and _SAYS.search(text) is not None


def _text(value: object) -> str | None:
    """A text, also as the numbers of its bytes, or as the only one of a list."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(one, int) and 0 <= one < 256 for one in value):  # noqa: PLR2004 - a byte
        return bytes(value).decode("utf-8", "backslashreplace")
    return "\n".join(value) if all(isinstance(one, str) for one in value) and len(value) == 1 else None


def _program(fields: Pairs) -> str | None:
    """Who wrote it: "" where it is not named, None where it is nobody whose lines are read."""
    named = next((fields[name] for name in PROGRAM_FIELDS if isinstance(fields.get(name), str) and fields[name]), "")
    named = named.rstrip(":")
    if named and named not in KERNELS:  # programs write to /dev/kmsg too
        return named if named in PROGRAMS else None
    if named or any(fields.get(name) == KERNEL for name in TRANSPORTS):
        return KERNEL
    return None if JOURNAL & fields.keys() else ""


def _caller(fields: Pairs) -> str:
    caller = fields.get("caller")
    return f"[{caller:>6}]" if isinstance(caller, str) and caller[:1] in {"T", "C"} and caller[1:].isdigit() else ""
