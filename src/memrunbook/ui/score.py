"""The score of a schedule that only plans: how often it would have acted, and what became of each case without it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from memrunbook.core.instant import Instant
from memrunbook.core.plan.score import Fate, ScoredCase, Trace
from memrunbook.core.plan.shadows import Shadow, UnforeseenKills
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, Text, line, note, row, text, to_type
from memrunbook.ui.words import moment_words, plural

FATES: Mapping[Fate, tuple[str, str, str, Style]] = {
    "recovered": ("{} recovered alone", "{} recovered alone", "recovered alone", "good"),
    "restarted by hand": ("{} was restarted by hand", "{} were restarted by hand", "restarted by hand", "warning"),
    "our run": ("{} was dealt with by a run", "{} were dealt with by runs", "a run did it", ""),
    "rebooted": ("{} ended with a reboot", "{} ended with a reboot", "host rebooted", "warning"),
    "OOM kill": ("{} ended in an OOM kill", "{} ended in an OOM kill", "OOM kill", "critical"),
    "over": ("{} is over, not known how", "{} are over, not known how", "over, not known how", "unknown"),
    "holds": ("{} still holds", "{} still hold", "still holds", "critical"),
    "unknown": ("of {} nothing is known", "of {} nothing is known", "nothing is known", "unknown"),
}
"""What became of one, of several, and as it stands in a list: with a style that repeats it."""
LISTED = 5


class ScoreView(NamedTuple):
    """One schedule; `acts` is what to type to see what it does, where its mode is run by now."""

    name: str
    cases: Sequence[ScoredCase]
    came_without: Sequence[UnforeseenKills]
    hosts: int
    sightings: int
    watched: float | None
    listed: bool = True
    acts: str = ""


def nothing_view() -> list[Block]:
    """There is nothing to keep a score of."""
    return [
        line(Span("UNKNOWN", "unknown"), ": no schedule only plans, and no firing of one is kept"),
        line("One with mode: plan in schedules.yaml keeps its score: docs/how-to/schedule.md"),
    ]


def notes_view(notes: Sequence[str]) -> list[Block]:
    """Why less is known than might be."""
    return [line(Span("note", "hint"), ": ", Span(one, whole=True)) for one in notes]


def score_view(view: ScoreView, since: float, now: Instant) -> list[Block]:
    """The verdict, what came without it, and each case, the newest first."""
    name = Span(view.name, "strong", whole=True)
    standing = [] if view.listed else [line("it is not in schedules.yaml any more, or broken there", indent=2)]
    standing += [line("its mode is run by now; what it does: ", to_type(view.acts), indent=2)] if view.acts else []
    if view.watched is None:
        return [
            line(name, ": ", Span("UNKNOWN", "unknown"), ", no firing of it is kept that looked at a host"),
            *standing,
        ]
    acted = f"would have acted {plural(len(view.cases), 'time')} since {day(since)}"
    blocks: list[Block] = [line(name, f" {acted}", *_counts(view.cases)), *standing]
    if asks := sum(one.case.asks for one in view.cases):
        blocks.append(line(f"{asks} of these would have waited for a person: beyond its max_risk and allow", indent=2))
    blocks += _without(view.came_without)
    seen = f"{plural(view.hosts, 'host')} in {plural(view.sightings, 'look')}"
    blocks.append(line(f"It looked at {seen}, the first of these at {moment_words(view.watched, now)}.", indent=2))
    return [*blocks, *(part for one in reversed(view.cases) for part in (BLANK, _case(one, now)))]


def _counts(cases: Sequence[ScoredCase]) -> Iterator[str | Span]:
    found = Counter(one.fate for one in cases)
    told = [(found[fate], FATES[fate]) for fate in FATES if found[fate]]
    for number, (count, (one, several, _, style)) in enumerate(told):
        yield ", " if number else ": "
        yield Span((one if count == 1 else several).format(count), style)


def _without(found: Sequence[UnforeseenKills]) -> list[Block]:
    """OOM kills that nothing had warned of."""
    if not found:
        return []
    count = sum(one.count for one in found)
    places = [f"{one.host} {between(one.after, one.before)}" for one in found[-LISTED:]]
    more = f"; and {len(found) - LISTED} times earlier" if len(found) > LISTED else ""
    words = f"{plural(count, 'OOM kill')} came without it"
    return [line(Span(words, "critical"), ": ", Span("; ".join(places) + more, whole=True), indent=2)]


def _case(one: ScoredCase, now: Instant) -> Grid:
    case, (_, _, word, style) = one.case, FATES[one.fate]
    lasted = f", for {format_duration(one.seconds)}" if one.seconds else ""
    entries: list[Row | Note] = [
        row(
            Span(case.first.host, "strong", whole=True),
            Span(word, style),
            body=f"{moment_words(case.first.since, now)}{lasted}",
        )
    ]
    entries += [note(_step(step, number)) for number, step in enumerate(case.steps)]
    entries += [note(Span(_told(trace), whole=True)) for trace in one.traces]
    if one.fate in ("holds", "unknown"):
        firings = sum(seen.count for seen in case.sightings if seen.holds)
        entries.append(note(f"last seen at {moment_words(case.held_until, now)}, in {plural(firings, 'look')}"))
    return Grid(tuple(entries))


def _step(step: Shadow, number: int) -> Text:
    begin = "would have done: " if not number else "then, if needed: " if step.provisional else "and: "
    about = [step.risk_word] if step.risk_word else []
    about += ["only after a person's yes"] if step.asks else []
    return text(begin, Span(step.summary, whole=True), f" ({', '.join(about)})" if about else "")


def _told(one: Trace) -> str:  # noqa: C901, PLR0911  a sentence for each kind
    when = between(one.after, one.before)
    match one.what:
        case "kills":
            return f"{plural(one.count, 'OOM kill')} {when}"
        case "boot":
            return f"the host was booted anew {when}"
        case "change":
            return f"run {one.run} did {one.of} at {minute(one.after)}{f': it ended as {one.why}' if one.why else ''}"
        case "began anew":
            doubt = "" if one.sure else "; whether within that time is not known"
            return f"{one.of} began anew {when}, and no run did it: a person, or a crash{doubt}"
        case "over":
            return f"found over at {minute(one.before)} by {one.of}"
        case "run":
            return f"found over at {minute(one.before)} by run {one.run}"
        case "unreached" | "unjudged":
            how = "not reached" if one.what == "unreached" else "could not be judged"
            return f"{how} {when} ({plural(one.count, 'look')}){f': {one.why}' if one.why else ''}"
        case "unread":
            return f"whether {one.of} was restarted is not known" if one.of else "OOM kills of that time are not known"
        case "clock":
            return f"the clock went back by {format_duration(one.before - one.after)}: times are not certain"


def between(after: float, before: float) -> str:
    """Two moments, to the minute (UTC)."""
    if before - after < 1:
        return f"at {minute(before)}"
    same = day(after) == day(before)
    return f"between {minute(after).removesuffix(' UTC')} and {minute(before)[11:] if same else minute(before)}"


def minute(at: float) -> str:
    """A moment to the minute (UTC)."""
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M} UTC"


def day(at: float) -> str:
    """The day of a moment (UTC)."""
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d}"
