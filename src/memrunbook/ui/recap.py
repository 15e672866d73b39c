"""How a command ended on several hosts: a line for each, the worst first, and one verdict over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from memrunbook.core.errors import Interrupted
from memrunbook.core.ranges import compact
from memrunbook.core.run.batches import few
from memrunbook.core.run.cut_off import UNCHANGED
from memrunbook.core.run.event import StepFinished
from memrunbook.core.run.failures import WELL
from memrunbook.core.run.report import NOTHING_DONE, HostReport, Reported
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, line, note, row, title, to_type
from memrunbook.ui.report import OUTCOMES, STATES
from memrunbook.ui.words import counts, plural

WORST_FIRST: tuple[Reported, ...] = (
    "unknown", "interrupted", "failed", "unresolved", "improved", "unreachable", "refused", "not_begun",
)  # fmt: skip
"""As the exit codes have it; what is not named stands behind these, and what is well at the end."""
IDLE: frozenset[Reported] = frozenset({"interrupted", "not_begun", "unreachable"})
"""Ends of hosts on which nothing was done, where they have no steps."""
LISTED = 10
"""More hosts than these that ended well are counted; of more on which nothing was done the first are named."""
PAGES = 5
"""Of more hosts than these the pages of those that ended well are left out."""


def in_full(reports: Sequence[HostReport], *, verbose: bool = False) -> list[bool]:
    """For each host whether its page is shown: all of a few hosts, of many those that did not end well.

    Of several hosts those on which nothing was done have none: the table says why, and what helps.
    """
    all_of_them = verbose or len(reports) <= PAGES
    return [len(reports) == 1 or ((all_of_them or not _is_well(one)) and not _is_idle(one)) for one in reports]


def recap_view(
    reports: Sequence[HostReport], run_id: str, *, verbose: bool = False, every_page: bool = False
) -> list[Block]:
    """The table of the hosts, the pages that were left out (of `every_page` there is none), and the verdict."""
    counted = _counted([report for report in reports if _is_well(report)], verbose=verbose)
    hosts = {report.host for report in counted}
    alike: dict[tuple[str, ...], list[HostReport]] = {}
    for place, report in enumerate(worst_first([report for report in reports if report.host not in hosts])):
        kind = (report.outcome, _short(report), report.hint) if _is_idle(report) else (str(place),)
        alike.setdefault(kind, []).append(report)
    blocks: list[Block] = [title("Hosts", ", the worst first" if len(alike) > 1 else "")]
    blocks.append(Grid(tuple(chain.from_iterable(_rows(group, len(reports)) for group in alike.values()))))
    for outcome, number in Counter(report.outcome for report in counted).most_common():
        blocks.append(line(f"{plural(number, 'host')}: ", _word(outcome), indent=2))
    shown = zip(reports, in_full(reports, verbose=verbose or every_page), strict=True)
    left_out = sum(1 for report, is_shown in shown if not is_shown and _is_well(report))
    if left_out:
        told = f"The pages of {plural(left_out, 'host')} that ended well are left out; -v shows them, so does  "
        blocks.append(line(told, to_type(f"runbook report {run_id}"), indent=2))
    return [*blocks, BLANK, verdict_line(reports)]


def _counted(reports: Sequence[HostReport], *, verbose: bool) -> list[HostReport]:
    """Those of many hosts that a line each would say nothing of."""
    many = not verbose and len(reports) > LISTED
    return [report for report in reports if not report.held] if many else []


def verdict_line(reports: Sequence[HostReport]) -> Block:
    """The verdict over all hosts: how many are not as they should be, and how each ended."""
    found = Counter(report.outcome for report in reports)
    order = sorted(found, key=_rank_of)
    well = counts((found[outcome], outcome) for outcome in order if outcome in WELL)
    bad = [outcome for outcome in order if outcome not in WELL]
    number = sum(found[outcome] for outcome in bad)
    if not bad:
        return line(Span("ALL WELL", "good"), f": {plural(len(reports), 'host')}: {well}")
    of = f"{number} of {plural(len(reports), 'host')}" if number < len(reports) else f"all {len(reports)} hosts"
    word = Span("NOT ALL WELL" if well else "NONE WELL", OUTCOMES[bad[0]][1])
    told = counts((found[outcome], outcome.replace("_", " ")) for outcome in bad)
    return line(word, f": {of}: {told}", f"; {well}" if well else "")


def _rows(alike: Sequence[HostReport], of: int) -> Iterator[Row | Note]:
    """One row for a host, or for all on which nothing was done for the same reason, with what helps.

    Where it is the only one of the command, its page has said that.
    """
    first = alike[0]
    names = compact(report.host for report in alike)
    if len(alike) == 1:
        yield _row(first)
    else:
        all_of_them = first.outcome == "unreachable" or len(names) <= LISTED
        named = ", ".join(names) if all_of_them else few([report.host for report in alike])
        body = Span(f"{named}: {_short(first)}", whole=True)
        yield row(_word(first.outcome), Span(plural(len(alike), "host"), whole=True), body=body)
    if first.hint and _is_idle(first) and of > 1:
        yield note(Span("hint: ", "hint"), Span(first.hint, whole=True))


def _row(report: HostReport) -> Row:
    found = Counter(step.state for step in report.steps)
    steps = counts((found[state], word) for state, (word, _) in STATES.items())
    spent = sum(step.seconds for step in report.steps)
    done = (steps, format_duration(spent) if spent else "") if steps else ()
    short = "; ".join(part for part in (_short(report), f"on {report.node}" if report.node else "") if part)
    return row(_word(report.outcome), Span(report.host, whole=True), *done, body=Span(short, whole=True))


def _short(report: HostReport) -> str:
    """The first clause of why, with that of the step that it is about: the page has all of it."""
    why = report.why.split("; ")[0]
    if report.outcome == "interrupted":
        cut = next((step for step in report.steps if step.state == "interrupted"), None)
        idle = report.begun is None and not report.steps and why == str(Interrupted())
        why = _cut_words(cut) if cut is not None else NOTHING_DONE if idle else why
    step = next((step for step in reversed(report.steps) if step.state in ("failed", "undone", "unknown")), None)
    if report.outcome not in WELL and step is not None and step.id in why:
        why = why_of(step, why)
    held = f"held: {'; '.join(report.held)}" if report.held else ""
    return "; ".join(part for part in (why, held) if part)


def _cut_words(step: StepFinished) -> str:
    return f"before step {step.id}: {UNCHANGED}" if step.why.startswith(UNCHANGED) else f"step {step.id} was under way"


def why_of(step: StepFinished, why: str) -> str:
    """Why a host ended as it did, where that only names the step: with the first clause of that step's reason."""
    said = step.why.split("; ")[0]
    return f"{why}: {said}" if said and said not in why else why


def _word(outcome: Reported) -> Span:
    return Span(OUTCOMES[outcome][0], OUTCOMES[outcome][1])


def _is_well(report: HostReport) -> bool:
    return report.outcome in WELL


def _is_idle(report: HostReport) -> bool:
    """True for a host on which nothing was done, and of which nothing is known but why."""
    return report.outcome in IDLE and report.begun is None and not report.steps and not report.others


def worst_first(reports: Sequence[HostReport]) -> list[HostReport]:
    """The hosts in the order of the table."""
    return sorted(reports, key=_rank)


def _rank(report: HostReport) -> tuple[int, bool]:
    return _rank_of(report.outcome), _is_idle(report)


def _rank_of(outcome: Reported) -> int:
    if outcome in WELL:
        return len(WORST_FIRST) + 1
    return WORST_FIRST.index(outcome) if outcome in WORST_FIRST else len(WORST_FIRST)
