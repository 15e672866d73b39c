"""What many hosts are doing right now: how many are how far, and for the few that take longest what they are at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from memrunbook.core.instant import Instant
from memrunbook.core.run.failures import WELL
from memrunbook.core.run.report import Reported
from memrunbook.core.units import format_duration
from memrunbook.ui.block import Span, Style, Text, text
from memrunbook.ui.layout import cells, cut
from memrunbook.ui.report import OUTCOMES
from memrunbook.ui.words import plural

HostState = Literal["waiting", "connecting", "reading", "at a gate", "changing", "proving", "read"] | Reported
AT_WORK: tuple[HostState, ...] = ("connecting", "reading", "at a gate", "changing", "proving")
FINE: frozenset[HostState] = frozenset(("read", *WELL))
STYLES: Mapping[HostState, Style] = {
    "at a gate": "warning",
    "changing": "strong",
    "refused": "warning",
    "improved": "warning",
    "unresolved": "critical",
    "failed": "critical",
    "unreachable": "critical",
    "interrupted": "critical",
    "unknown": "unknown",
}
ENDED_BADLY: tuple[HostState, ...] = tuple(outcome for outcome in OUTCOMES if outcome not in FINE)
LISTED = 8
"""So many hosts at work are listed; the rest are counted."""
LONGEST_NAME = 32
SPARE = 2
"""Lines of a terminal that are left to everything else."""


class HostNow(NamedTuple):
    """What a host is at, since when, and for how many seconds at most (0: that is not known)."""

    state: HostState
    doing: str
    since: Instant
    limit: float = 0.0


def fleet_lines(hosts: Mapping[str, HostNow], began: Instant, now: Instant, width: int, height: int) -> list[Text]:
    """The region for so many columns and lines: counts, then the hosts at work, those that are longest at it first."""
    lines = _counted(Counter(host.state for host in hosts.values()), len(hosts), now.since(began), width)
    busy = sorted(
        ((name, host) for name, host in hosts.items() if host.state in AT_WORK),
        key=lambda one: (one[1].since.monotonic, one[0]),
    )
    room = max(0, min(LISTED, height - SPARE - len(lines)))
    listed = busy[: room if len(busy) <= room else max(0, room - 1)]
    lines += _rows(listed, now, width)
    more = len(busy) - len(listed)
    return (lines + [text(f"  and {more} more")] * (more > 0))[: max(1, height - SPARE)]


def _counted(found: Counter[HostState], count: int, seconds: float, width: int) -> list[Text]:
    well = sum(found[state] for state in FINE)
    told: list[tuple[int, HostState, str]] = [
        *((found[state], state, state) for state in ("waiting", *AT_WORK)),
        (well, "read", "done"),
        *((found[state], state, state.replace("_", " ")) for state in ENDED_BADLY),
    ]
    words = [Span(f"{number} {word}", STYLES.get(state, "")) for number, state, word in told if number]
    head = text(Span(plural(count, "host"), "strong"), f", {format_duration(seconds)}: ")
    return _folded(head, words, width)


def _folded(head: Text, words: Sequence[Span], width: int) -> list[Text]:
    """The words behind the head, a comma between them, on as many lines as they need."""
    lines, line = [], head
    for number, word in enumerate(words):
        comma = "," if number + 1 < len(words) else ""
        if cells(line) + cells((word,)) + 1 > width and line is not head:
            lines.append(line)
            line = text("  ")
        line = text(line, word, f"{comma} " if comma else "")
    return [*(cut(one, width) for one in lines), cut(line, width)]


def _rows(busy: Sequence[tuple[str, HostNow]], now: Instant, width: int) -> list[Text]:
    names = [cut(text(Span(name, "quiet")), min(LONGEST_NAME, width // 3)) for name, _ in busy]
    times = [_time(host, now) for _, host in busy]
    widest, longest = max(map(cells, names), default=0), max(map(len, times), default=0)
    rows = []
    for name, (_, host), time in zip(names, busy, times, strict=True):
        head = text("  ", name, " " * (widest - cells(name) + 2))
        room = max(0, width - cells(head) - longest - 2)
        doing = cut(text(Span(host.doing, STYLES.get(host.state, ""))), room)
        row = text(head, doing, " " * (room - cells(doing) + 2), time.rjust(longest))
        rows.append(cut(row, width))
    return rows


def _time(host: HostNow, now: Instant) -> str:
    """How long it is at it, as in "41 s of 60 s"."""
    spent = format_duration(max(0.0, now.since(host.since)))
    return f"{spent} of {format_duration(host.limit)}" if host.limit else spent
