"""What a gate shows before it asks: the host, the command, the evidence, the cost, the proof, the way back."""

from __future__ import annotations

from collections.abc import Iterator

from memrunbook.core.action import Change, Risk
from memrunbook.core.effects import AskApproval
from memrunbook.core.instant import Instant
from memrunbook.core.plan import PlannedStep
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Text, line, note, text
from memrunbook.ui.words import RISK_MEANINGS, digest_words, moment_words, proof_words, risk

# So much of a script and of the evidence is shown without being asked for.
SHOWN_LINES, SHOWN_EVIDENCE = 6, 3
KEYS = "d details, s skip, q stop this host, Q stop all hosts"


def gate_view(host: str, question: AskApproval, now: Instant, position: str = "", about: str = "") -> list[Block]:
    """The page above the question; `position` is "host 3 of 20", `about` the host's role and peers."""
    step = question.step
    entries: list[Row | Note] = [_host(host, position, about)]
    entries.append(_row("Step", text(Span(step.label, "strong", whole=True), f"   {step.name}")))
    if question.changed:
        entries.append(_row("Changed", Span(question.changed, "warning", whole=True)))
    entries.append(_row("Because", Span("; ".join(question.evidence[:SHOWN_EVIDENCE]), whole=True)))
    more = len(question.evidence) - SHOWN_EVIDENCE
    entries += [note("", f"and {more} more: d shows them")] * (more > 0)
    entries.append(_row("Read at", moment_words(question.snapshot_at.utc, now)))
    if step.change is not None:
        entries += _change(step, step.change)
    return [BLANK, Grid(tuple(entries), indent=0)]


def details_view(question: AskApproval) -> list[Block]:
    """All the evidence, the whole script with its arguments, and what would take it back."""
    blocks: list[Block] = [BLANK, line(Span("Evidence", "strong"))]
    blocks += [line(Span(reason, whole=True), indent=2) for reason in question.evidence]
    change = question.step.change
    if change is None:
        return blocks
    blocks += _script("Command", change.script, change.args)
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


def _change(step: PlannedStep, change: Change) -> Iterator[Row | Note]:
    lines = change.script.rstrip("\n").split("\n")
    yield _row("Command", Span(lines[0], whole=True))
    yield from (note("", Span(text_line, whole=True)) for text_line in lines[1:SHOWN_LINES])
    if len(lines) > SHOWN_LINES:
        yield note("", Span(f"{len(lines) - SHOWN_LINES} more lines: d shows them", "quiet"))
    yield from (note(f"${n} = ", Span(argument, whole=True)) for n, argument in enumerate(change.args, 1))
    yield note("", Span(f"{digest_words(change.digest)}, at most {format_duration(change.timeout)}", "quiet"))
    yield _row("Costs", Span(change.costs or "not stated", whole=True))
    proof = proof_words(step.verify, step.within, step.hold) if step.verify else "the command's own exit status"
    yield _row("Proven by", Span(proof, whole=True))
    yield _row("Undo", Span(_undo(change), whole=True))
    yield _row("Risk", text(risk(change.risk), f": {RISK_MEANINGS[change.risk]}"))


def _row(label: str, content: Text | Span | str) -> Row:
    return Row((text(label),), text(content))


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


def host_name_needed(level: Risk, hosts: int) -> bool:
    """True where the host's name is typed too: users may notice, and it is one host of several."""
    return level >= Risk.MEDIUM and hosts > 1
