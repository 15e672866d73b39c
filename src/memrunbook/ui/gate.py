"""What a gate shows before it asks: the host, the command, the evidence, the cost, the proof, the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memrunbook.core.action.action import Change, Risk
from memrunbook.core.action.care import care_words
from memrunbook.core.instant import Instant
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.request import AskApproval
from memrunbook.core.runbook.condition import Evidence
from memrunbook.core.text import clean
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Text, line, note, row, text
from memrunbook.ui.layout import UNCUT
from memrunbook.ui.words import (
    RISK_MEANINGS,
    digest_words,
    evidence_words,
    measured_words,
    moment_words,
    planned_proof,
    risk,
)

# So many lines of a script that has no line for people, and so many values of one reason, are shown unasked.
SHOWN_LINES, SHOWN_VALUES = 6, 6
COUNTED = ("", "count")
KEYS = "d details, s skip, q stop this host, Q stop all hosts"


def gate_view(  # noqa: PLR0913  what there is to know
    host: str,
    question: AskApproval,
    now: Instant,
    position: str = "",
    about: str = "",
    *,
    others: Sequence[str] = (),
    script: str = "d shows the script",
) -> list[Block]:
    """The page above the question; `position` is "host 3 of 20", `about` the host's role and peers.

    `others` are the hosts that one answer may be for, too; `script` says where the whole script is seen.
    """
    step = question.step
    entries: list[Row | Note] = [_host(host, position, about)]
    entries.append(_row("Step", text(Span(step.label, "strong", whole=True), f"   {step.name}")))
    if question.changed:
        entries.append(_row("Changed", Span(question.changed, "warning", whole=True)))
    entries += [_row("Before", Span(look.told, "warning", whole=True)) for look in question.looks]
    if question.again:
        entries.append(note("", Span("it is never repeated by itself: look at the host before you say yes", "warning")))
    if question.limits:
        entries.append(_row("Limits", Span(question.limits[0], "warning", whole=True)))
        entries += [note("", Span(why, "warning", whole=True)) for why in question.limits[1:]]
    reasons = [_reason(title, lines) for title, lines in question.evidence] or [text("no check fires")]
    entries.append(_row("Because", reasons[0]))
    entries += [note("", reason) for reason in reasons[1:]]
    entries.append(_row("Read at", moment_words(question.snapshot_at.utc, now)))
    if step.change is not None:
        entries += _change(step, step.change, script)
    if others:
        entries.append(
            _row("For all", f"a says yes to this very change on {host} and, where it is the same there, on:")
        )
        entries.append(note("", Span(", ".join(others), "strong", whole=True)))
    return [BLANK, Grid(tuple(entries), indent=0)]


def details_view(question: AskApproval) -> list[Block]:
    """All the evidence, the whole script with its arguments, and what would take it back."""
    blocks: list[Block] = [BLANK, line(Span("Evidence", "strong"))]
    for title, lines in question.evidence:
        blocks.append(line(Span(title, whole=True), indent=2))
        blocks.append(Grid(tuple(_measured(one) for one in lines), indent=4))
    change = question.step.change
    if change is None:
        return blocks
    blocks += _script("Script", change.script, change.args)
    if change.undo is not None:
        blocks += _script(f"Undo: {change.undo.summary}", change.undo.script, change.undo.args)
    identity = (Span("identity ", "quiet"), Span(change.identity or "-", whole=True))
    return [*blocks, BLANK, line(*identity), line(Span("digest   ", "quiet"), Span(change.digest, whole=True))]


def ask_line(host: str, question: AskApproval, wanted: str) -> Text:
    """The question itself; `wanted` is what must be typed, "y/N" or a name."""
    change = question.step.change
    what = change.summary if change else question.step.name
    return text(Span(what, "strong"), " on ", Span(host, "strong"), "? ", wanted, Span(f"  ({KEYS}):", "quiet"))


def _host(host: str, position: str, about: str) -> Row:
    more = ", ".join(part for part in (position, about) if part)
    return _row("Host", text(Span(host, "strong", whole=True), f"   {more}" if more else ""))


def _change(step: PlannedStep, change: Change, script: str) -> Iterator[Row | Note]:
    yield from _command(change)
    limit = f"at most {format_duration(change.timeout)}"
    yield note("", Span(f"{limit}; {script}, {digest_words(change.digest)}", "quiet"))
    care = dict(care_words(change))
    yield _row("Costs", Span(change.costs or "not stated", whole=True))
    if "drain" in care:
        yield _row("Drained by", Span(care["drain"], whole=True))
    yield _row("Proven by", Span(planned_proof(step) or "the command's own exit status", whole=True))
    if "health" in care:
        yield _row("Health", Span(care["health"], whole=True))
    if "return" in care:
        yield _row("Returned", Span(care["return"], whole=True))
    yield _row("Undo", Span(_undo(change), whole=True))
    yield _row("Risk", text(risk(change.risk), f": {_meaning(change)}"))


def _command(change: Change) -> Iterator[Row | Note]:
    if change.command:
        yield _row("Command", Span(change.command, whole=True, quoted=True))
        return
    lines = change.script.rstrip("\n").split("\n")
    yield _row("Command", Span(lines[0], whole=True, quoted=True))
    yield from (note("", Span(text_line, whole=True, quoted=True)) for text_line in lines[1:SHOWN_LINES])
    if len(lines) > SHOWN_LINES:
        yield note("", Span(f"{len(lines) - SHOWN_LINES} more lines", "quiet"))
    yield from (note(f"${n} = ", Span(argument, whole=True)) for n, argument in enumerate(change.args, 1))


def _reason(title: str, lines: Sequence[Evidence]) -> Text:
    """What speaks for the step, on one line; of too many values those with a unit, as plain counts tell less."""
    shown = list(lines)
    if len(shown) > SHOWN_VALUES:
        shown = sorted(shown, key=lambda one: one.unit in COUNTED)[:SHOWN_VALUES]
    more = f", {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
    return text(Span(title, whole=True), ": " if shown else "", evidence_words(shown), more)


def _measured(one: Evidence) -> Row:
    value = Span(f"not read: {one.why}", "unknown") if one.value is None else measured_words(one)
    return row(one.metric, value)


def _row(label: str, content: Text | Span | str) -> Row:
    return Row((text(label),), text(content))


def _meaning(change: Change) -> str:
    """What the risk means; of low risk that nothing takes back only the runbook's word is known."""
    if change.risk is Risk.LOW and change.undo is None:
        return "costs performance at most, says the runbook; it is not taken back"
    return RISK_MEANINGS[change.risk]


def _undo(change: Change) -> str:
    if change.undo is None:
        return "no: it cannot be taken back"
    how = "at once where it does not help" if change.undo.mode == "auto" else "offered, not done by itself"
    back = f"; the host itself takes it back after {format_duration(change.back_after)}" if change.back_after else ""
    return f"yes: {change.undo.summary}, {how}{back}"


def _script(title: str, script: str, args: tuple[str, ...]) -> list[Block]:
    lines = script.rstrip("\n").split("\n")
    found: list[Block] = [BLANK, line(Span(title, "strong"))]
    found += [line(Span(content, whole=True), indent=2) for content in lines]
    return [*found, *(line(f"${n} = ", Span(argument, whole=True), indent=2) for n, argument in enumerate(args, 1))]


def names_to_type(host: str, question: AskApproval, hosts: int) -> tuple[str, ...]:
    """What is typed for a yes, one after the other: names as they are shown; an empty one stands for a plain yes.

    `hosts` is how many hosts there are in all.
    """
    change, own = question.step.change, shown_name(host)
    level = change.risk if change else Risk.NONE
    named = level is Risk.HIGH or question.limits  # what goes beyond a limit is never answered by a habit
    wanted = (shown_name(change.target) or own) if change and named else ""
    also = wanted != own and _host_name_needed(level, hosts)
    return (shown_name(question.again) or wanted, *([own] if also else []))


def why_named(question: AskApproval) -> str:
    """Why a yes to this question is more than a y."""
    if question.again:
        return "how it ended before is unknown"
    if question.limits:
        return "it goes beyond a limit"
    return RISK_MEANINGS[question.step.change.risk if question.step.change else Risk.NONE]


def shown_name(name: str) -> str:
    """A name as the screen shows it, which is how it is typed."""
    return clean(name, UNCUT).strip()


def _host_name_needed(level: Risk, hosts: int) -> bool:
    """True where the host's name is typed too: users may notice, and it is one host of several."""
    return level >= Risk.MEDIUM and hosts > 1
