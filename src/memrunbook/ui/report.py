"""What a run did on a host: verdict, each step with its reason, what changed, and where the record is."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from memrunbook.core.plan.diagnosis import Finding
from memrunbook.core.run.event import Event, Outcome, Outdated, StepFinished, StepState, StillHeld, UndoPlanned
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.core.units import format_duration
from memrunbook.ui.advice import advice_rows
from memrunbook.ui.block import (
    BLANK,
    Block,
    Grid,
    Line,
    Note,
    Row,
    Span,
    Style,
    Table,
    line,
    note,
    row,
    text,
    title,
    to_type,
)
from memrunbook.ui.findings import firing_entries
from memrunbook.ui.header import held_blocks, kept_memory_rows
from memrunbook.ui.oom_event import NEWEST, newest_event
from memrunbook.ui.words import counts, metric_words, moment_words, unit_of, value_words

STATES: Mapping[StepState, tuple[str, Style]] = {
    "done": ("done", "good"),
    "executed": ("executed", "warning"),
    "not_needed": ("not needed", ""),
    "blocked": ("blocked", "warning"),
    "refused": ("refused", "warning"),
    "skipped": ("skipped", "warning"),
    "failed": ("failed", "critical"),
    "undone": ("taken back", "critical"),
    "unknown": ("unknown", "unknown"),
    "interrupted": ("interrupted", "critical"),
}
LEFT = "it is not proven, and may be in force; whether it can be taken back, and what of it is still there:"
UNDONE: Mapping[Reported, str] = {
    "refused": "what is left alone or was refused is as the run had left it",
    "failed": "something could not be taken back; see its reason below",
    "unknown": "look at the host, then repeat the command: what is back already is not needed again",
    "unreachable": "nothing was taken back",
    "interrupted": "the undo did not come to its end; repeat it: what is back already is not needed again",
}
"""What the outcomes of an undo mean, where that is not what they mean for a runbook."""
OUTCOMES: Mapping[Reported, tuple[str, Style, str]] = {
    "healthy": ("HEALTHY", "good", "nothing was changed"),
    "resolved": ("RESOLVED", "good", "the incident is over and stayed so"),
    "improved": ("IMPROVED", "warning", "the incident no longer applies, but its end is not proven; look again soon"),
    "unresolved": ("UNRESOLVED", "critical", "the incident still applies; no step here is left to try"),
    "failed": ("FAILED", "critical", "a step failed and the incident is not over; see its reason below"),
    "refused": ("REFUSED", "warning", "the incident is not over"),
    "unreachable": ("UNREACHABLE", "critical", "the host could not be worked with"),
    "unknown": ("UNKNOWN", "unknown", "look at the host before anything is repeated"),
    "interrupted": ("INTERRUPTED", "critical", "the run did not come to its end"),
    "not_begun": ("NOT BEGUN", "warning", "nothing was changed there"),
    "restored": ("RESTORED", "good", "what the run had changed and is still its own is as it was before"),
    "running": ("RUNNING", "strong", "what follows is as far as it has come"),
}


def report_view(
    report: HostReport,
    run_id: str,
    who: Sequence[Block] = (),
    *,
    alone: bool = True,
    taken_back: Mapping[str, str] = MappingProxyType({}),
) -> list[Block]:
    """The page for one host; `who` are the blocks that say who asked for it, `taken_back` who undid which step since.

    Where it does not stand `alone`, what is said of the run is said once, below the pages of all hosts.
    """
    blocks: list[Block] = [_verdict(report), *_done_by(report), *_taken_back(taken_back)]
    if report.hint:
        where = f"on {report.node}: " if report.node and report.outcome == "unreachable" else ""
        blocks.append(line(Span("hint: ", "hint"), Span(f"{where}{report.hint}", whole=True), indent=2))
    blocks += held_blocks(report.held)
    if report.begun:
        blocks += newest_event(report.begun.diagnosis.findings, report.begun.kept.get(NEWEST))
        blocks += _found(report.begun.diagnosis.findings) if report.outcome == "healthy" else []
    if report.steps:
        blocks += [BLANK, title("Steps", f": {_counted(report.steps)}")]
        blocks.append(Grid(tuple(_steps(report, run_id)), under=2))
    others = [event for event in report.others if not isinstance(event, StillHeld | UndoPlanned)]
    if others:
        blocks += [BLANK, *(block for event in others for block in _other(event, report.why))]
    if report.before or report.after:
        blocks += [BLANK, title("Signals"), _signals(report)]
    memory = kept_memory_rows(report.where)
    if memory:
        blocks += [BLANK, Grid(memory, indent=0)]
    ram = report.where.get("memory.total_bytes")
    causes = report.begun.diagnosis.causes if report.begun and report.outcome != "healthy" else ()
    told = advice_rows(causes, ram=ram if isinstance(ram, int) else 0)
    if told:
        blocks += [BLANK, Grid(tuple(told), indent=0)]
    ends = [BLANK, *record_view(run_id, lost=is_lost(report) and not taken_back)] if alone else []
    return [*blocks, *([BLANK, *who] if who else []), *ends]


def _found(findings: Sequence[Finding]) -> list[Block]:
    """What a runbook tells of a host where its incident does not apply: nothing else of the run says so."""
    found = firing_entries(findings)
    told = title("Found", ", though the incident does not apply:")
    return [BLANK, told, Grid(tuple(found))] if found else []


def _done_by(report: HostReport) -> list[Block]:
    """Which other control node did it, and the run there that has its journal."""
    if not report.node:
        return []
    if not report.part:
        return [line(f"Said by {report.node}, which has begun no run for it", indent=2)]
    return [line(f"Done by {report.node}, as run ", Span(report.part, whole=True), " there", indent=2)]


def _taken_back(steps: Mapping[str, str]) -> Iterator[Block]:
    for run in dict.fromkeys(steps.values()):
        names = ", ".join(step for step, by in steps.items() if by == run)
        yield line("Taken back since by ", to_type(f"runbook report {run}"), f": {names}", indent=2)


def step_line(host: str, step: StepFinished) -> Line:
    """One line for a step that has ended."""
    word, style = STATES[step.state]
    said = "; ".join(words for words in (step.why, step.effect) if words)
    why = f": {said}" if said else ""
    took = f" ({format_duration(step.seconds)})" if step.seconds else ""
    return Line(
        text(Span(host, "quiet"), "  "), text(Span(word, style), "  ", _label(step), "  ", _did(step), f"{took}{why}")
    )


def finished_line(host: str, outcome: Outcome, why: str) -> Line:
    """One line for a host whose run has ended."""
    word, style, meaning = OUTCOMES[outcome]
    return Line(text(Span(host, "quiet"), "  "), text(Span(word, style), f": {why or meaning}"))


def _other(event: Event, why: str) -> list[Block]:
    """An event that has no place of its own; what differs from what was approved stands side by side.

    `why` is what the verdict has said already.
    """
    if not isinstance(event, Outdated):
        return [line(Span(event.told, whole=True))]
    sides = (row("approved:", body=Span(event.approved, whole=True)), row("now:", body=Span(event.now, whole=True)))
    above = [] if event.what == why else [line(Span(event.what, "warning", whole=True))]
    return [*above, Grid(sides)]


def _word(report: HostReport) -> Span:
    return Span(OUTCOMES[report.outcome][0], OUTCOMES[report.outcome][1])


def _verdict(report: HostReport) -> Line:
    undone = next((event for event in report.others if isinstance(event, UndoPlanned)), None)
    begun = report.begun or undone
    untouched = report.outcome == "refused" and begun is None
    known = (UNDONE if undone else {}).get(report.outcome, OUTCOMES[report.outcome][2])
    calm = report.outcome == "refused" and report.begun and report.begun.diagnosis.incident.state == "fails"
    meaning = "nothing was done there" if untouched else "the incident did not apply" if calm else known
    what = f"{begun.plan.runbook} on " if begun else ""
    by = [step for step in report.steps if _changed(step)]
    after = f" after {_label(by[-1])}" if report.outcome == "resolved" and by else ""
    told = report.outcome == "resolved" and bool(by) and report.why == f"resolved after step {by[-1].id}"
    why = f"{report.why}; " if report.why and not told else ""
    return line(_word(report), ": ", what, Span(report.host, "strong"), f"{after}; {why}{meaning}")


def _changed(step: StepFinished) -> bool:
    return step.state == "done" and not step.evidence


def _counted(steps: Sequence[StepFinished]) -> str:
    found = Counter(step.state for step in steps)
    return counts((found[state], word) for state, (word, _) in STATES.items())


def _steps(report: HostReport, run_id: str) -> Iterator[Row | Note]:
    """The steps; what the verdict has given as its reason is not said again."""
    for number, step in enumerate(report.steps, 1):
        word, style = STATES[step.state]
        took = format_duration(step.seconds) if step.seconds else ""
        yield row(str(number), Span(word, style), _label(step), _did(step), body=took)
        if step.why and step.why != report.why:
            yield note("why: ", Span(step.why, whole=True))
        if step.effect:
            yield note("effect: ", Span(step.effect, "warning", whole=True))
        if step.before and step.after:
            yield note("signals: ", _changes(step))
        yield from _left(step, report, run_id)
        if step.hint:
            yield note(Span("hint: ", "hint"), Span(step.hint, whole=True))
        if step.evidence:
            yield note("evidence: ", Span(step.evidence, whole=True))


def _left(step: StepFinished, report: HostReport, run_id: str) -> Iterator[Note]:
    """What of a step is open or in force, and how it goes away: on the node that did it, where its journal is."""
    if step.open:
        hint = "it is not known whether it took effect, and it is never repeated by itself: look at the host"
        yield note(Span("hint: ", "hint"), hint)
    if step.left and not step.open:
        undo = f"runbook undo {report.part or run_id} --step {_named(step)} --dry-run"
        yield note(Span("hint: ", "hint"), LEFT if not report.part else f"{LEFT[:-1]}, on {report.node}:")
        yield note("", to_type(undo)._replace(quoted=bool(report.part)))
    if step.back_at:
        yield note("back: ", f"the host itself takes it back at {moment_words(step.back_at, None)}")


def _named(step: StepFinished) -> str:
    return shlex.quote(f"{step.id}/{step.item}" if step.item else step.id)


def _label(step: StepFinished) -> str:
    return f"{step.id}/{step.item}" if step.item and not step.summary else step.id


def _did(step: StepFinished) -> str:
    return step.summary or step.name


def _changes(step: StepFinished) -> str:
    """What changed meanwhile, as "memory available 3.1 % -> 61.5 %"; what did not is left out."""
    names = sorted({*step.before, *step.after})
    sides = [(metric_words(name), *(_signal(name, s) for s in (step.before, step.after))) for name in names]
    moved = [f"{name} {old} -> {new}" for name, old, new in sides if old != new]
    return ", ".join(moved) or "unchanged"


def _signals(report: HostReport) -> Table:
    names = sorted({*report.before, *report.after})  # the journal keeps no order, and this is read from it too
    rows = [(metric_words(name), *(_signal(name, s) for s in (report.before, report.after))) for name in names]
    if all(before == after for _, before, after in rows):
        return Table(("signal", "before and after"), tuple((name, value) for name, value, _ in rows))
    return Table(("signal", "before", "after"), tuple(rows))


def _signal(name: str, signals: Mapping[str, object]) -> str:
    value = signals.get(name)
    return "not read" if value is None else value_words(value, unit_of(name))


def is_lost(report: HostReport) -> bool:
    """True where `runbook resume` has something to go on with: an undo is repeated instead."""
    undo = any(isinstance(event, UndoPlanned) for event in report.others)
    return not undo and (report.outcome in ("unreachable", "interrupted") or report.open)


def record_view(run_id: str, *, lost: bool) -> list[Block]:
    """Where a run is written down, and how one goes on with it where it was `lost`."""
    rows = [row("Run    ", Span(run_id, "strong", whole=True))]
    if lost:
        rows.append(row("Go on  ", to_type(f"runbook resume {run_id}")))
    rows.append(row("Report ", to_type(f"runbook report {run_id}")))
    rows.append(row("Intact?", to_type("runbook audit verify")))
    return [Grid(tuple(rows), indent=0)]
