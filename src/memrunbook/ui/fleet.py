"""Many hosts on one page: the verdict over all of them, and a table of them, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from memrunbook.core.plan.headline import Headline, HostOutcome
from memrunbook.core.plan.ranking import OUTCOMES, WORDS, Alike, Ranking
from memrunbook.core.ranges import compact
from memrunbook.ui.block import BLANK, Block, Grid, Line, Note, Row, Span, Text, line, note, row, text, to_type
from memrunbook.ui.header import switched_off_line
from memrunbook.ui.trouble import lower, trouble_words, unjudged_words
from memrunbook.ui.verdict import STYLES
from memrunbook.ui.words import counts, plural

NOT_READ: dict[HostOutcome, str] = {
    "unreachable": "not reached",
    "interrupted": "interrupted",
    "not-judged": "not judged",
    "judged": "judged",
}
COLUMN = 20
"""Longer names of hosts get no column: it would leave no room beside it."""
NAMED = 60
"""Columns that the names of hosts may take inside a sentence."""
TYPED = 160
"""A longer command would bury the verdict: it stands in the table alone."""
REMARKS = 3
FULL = "-v prints each host in full; for one of them: --host NAME"
FULL_RECORDED = "-v prints each host in full; for one of them: --replay FILE"


def fleet_view(ranking: Ranking, commands: Sequence[str], off: str = "", full: str = FULL) -> list[Block]:
    """The page; `commands` are what to type next for each group, empty where there is nothing to do.

    `off` says why nothing may be changed anywhere, `full` how to see all that is known.
    """
    apart = all(len(_who(group).text) <= COLUMN for group in ranking.groups)
    groups = zip(ranking.groups, commands, strict=True)
    entries = [entry for group, command in groups for entry in _rows(group, command, apart=apart)]
    end = line("Nothing was changed.", f" {full}" if full else "")
    return [
        fleet_verdict(ranking, commands),
        *([switched_off_line(off)] if off else []),
        *_held(ranking.hosts),
        BLANK,
        Grid(tuple(entries), under=2 if apart else 1),
        BLANK,
        *_tuning(ranking.hosts),
        end,
    ]


def fleet_verdict(ranking: Ranking, commands: Sequence[str]) -> Line:
    """The first line: the worst word, on how many hosts, what else is not well, then the worst group."""
    word, total = ranking.word, len(ranking.hosts)
    first, command = ranking.groups[0], commands[0]
    begin = text(Span(word, STYLES[word]), ": ")
    if word == "OK":
        some = sum(bool(one.remarks) for one in ranking.hosts)
        noticed = f"; {plural(some, 'host')} with things to know below" if some else ""
        return line(begin, f"nothing is wrong with the memory of {plural(total, 'host')}", noticed)
    what = f"{ranking.count(word)} of {plural(total, 'host')}"
    others = counts([*_worse(ranking), *_unknown(ranking)])
    joint = (": " if word == "UNKNOWN" else ", ") if others else ""
    then: Text = ()
    if command:
        then = text("; next: ", to_type(command) if len(command) <= TYPED else "see below")
    return line(begin, what, joint, others, "; ", group_words(first, _named(first)), then)


def group_words(group: Alike, on: str = "") -> Text:
    """What is said of a group; `on` names its hosts where nothing else does."""
    first, many = group.first, len(group.hosts) > 1
    if first.incident is not None or first.finding is not None:
        return trouble_words(group.hosts, on)
    if first.word == "OK":
        return _well(group)
    if first.outcome == "not-judged":
        return unjudged_words(group.hosts, on or ("them" if many else "it"))
    why = Span(first.why or "nothing is known of it", whole=True)
    return text(f"{on} " if on else "", NOT_READ[first.outcome], ": ", why)


def _rows(group: Alike, command: str, *, apart: bool) -> Iterator[Row | Note]:
    """A group's line and what belongs to it; `apart`: who it is stands in a column of its own."""
    first, many = group.first, len(group.hosts) > 1
    word, who, words = Span(first.word, STYLES[first.word]), _who(group), group_words(group)
    yield row(word, who, words) if apart else row(word, text(who, ": ", words))
    if many and not group.healthy:
        yield note("", Span(", ".join(compact(one.name for one in group.hosts)), "strong", whole=True))
    if first.hint:
        yield note(Span("hint: ", "hint"), Span(first.hint, whole=True))
    if command:
        yield note("next: ", to_type(command))


def _who(group: Alike) -> Span:
    if len(group.hosts) > 1:
        return Span(plural(len(group.hosts), "host"))
    return Span(group.first.name, "strong", whole=True)


def _named(group: Alike) -> str:
    names = ", ".join(compact(one.name for one in group.hosts))
    return names if len(names) <= NAMED else plural(len(group.hosts), "host")


def _worse(ranking: Ranking) -> Iterator[tuple[int, str]]:
    """How many hosts have which word, those with the worst apart."""
    for word in WORDS[WORDS.index(ranking.word) + 1 : WORDS.index("UNKNOWN")]:
        yield ranking.count(word), word


def _unknown(ranking: Ranking) -> Iterator[tuple[int, str]]:
    for outcome in OUTCOMES:
        yield ranking.count("UNKNOWN", outcome), NOT_READ[outcome]


def _well(group: Alike) -> Text:
    if group.healthy:
        return text(f"nothing is wrong with {'their' if len(group.hosts) > 1 else 'its'} memory")
    found = Counter(name for one in group.hosts for name in dict.fromkeys(one.remarks))
    told = [f"{lower(name)} ({count})" if len(group.hosts) > 1 else lower(name) for name, count in found.most_common()]
    more = [f"{len(told) - REMARKS} more"] if len(told) > REMARKS else []
    return text("no trouble, but to know: ", ", ".join([*told[:REMARKS], *more]))


def _held(hosts: Sequence[Headline]) -> list[Block]:
    """Which hosts are not as they would be by themselves, or may not be changed: all else is seen under that."""
    held = compact(one.name for one in hosts if one.held)
    off = compact(one.name for one in hosts if one.switched_off)
    blocks: list[Block] = []
    if held:
        words = "frozen or changed for a while; that may be all that keeps an incident away"
        blocks.append(line(Span("HELD", "warning"), f": {words}: ", Span(", ".join(held), whole=True)))
    if off:
        blocks.append(switched_off_line(", ".join(off), " there"))
    return blocks


def _tuning(hosts: Sequence[Headline]) -> list[Block]:
    some = sum(bool(one.tuning) for one in hosts)
    return [line(Span("Tuning", "strong"), f": remarks on settings of {plural(some, 'host')} (-v)")] if some else []
