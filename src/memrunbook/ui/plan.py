"""The plan of one host as a page: verdict, head, diagnosis, steps, and the exact next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from memrunbook.core.action.action import Repeat, Risk
from memrunbook.core.action.care import care_words
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.plan import DecisionWord, Plan, PlannedStep
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.flight import OpenStep
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row, text, title, to_type
from memrunbook.ui.findings import finding_counts, finding_entries
from memrunbook.ui.header import RUNBOOK, facts_row, held_blocks, host_row, memory_rows, off_blocks, open_blocks
from memrunbook.ui.oom_event import NEWEST, newest_event
from memrunbook.ui.suspects import cause_rows
from memrunbook.ui.unread import sudo_row
from memrunbook.ui.verdict import plan_verdict
from memrunbook.ui.words import counts, digest_words, moment_words, planned_proof, risk

WORDS: dict[DecisionWord, tuple[str, Style]] = {
    "change": ("run", "strong"),
    "not_needed": ("not needed", ""),
    "blocked": ("blocked", "warning"),
}
REFUSED: tuple[str, Style] = ("refused", "warning")
"""The word for what a rule says no to, not the host."""
UNDO = {"auto": "yes", "offer": "offered"}


def plan_view(  # noqa: PLR0913  what a page is made of
    diagnosis: RunbookDiagnosis,
    plan: Plan,
    snapshot: Snapshot,
    next_command: str,
    now: Instant | None = None,
    *,
    saved: str = "",
    left: Sequence[OpenStep] = (),
    frozen: Sequence[tuple[str, str]] = (),
    off: str = "",
) -> list[Block]:
    """The page; `next_command` carries out what there is to carry out, `saved` names the file with the plan.

    The rest is as of `plan_head`.
    """
    head = plan_head(diagnosis, plan, snapshot, now, left=left, frozen=frozen, off=off)
    return [*head, *plan_end(plan, next_command, now, saved)]


def plan_head(  # noqa: PLR0913  what a page is made of
    diagnosis: RunbookDiagnosis,
    plan: Plan,
    snapshot: Snapshot,
    now: Instant | None = None,
    *,
    left: Sequence[OpenStep] = (),
    frozen: Sequence[tuple[str, str]] = (),
    off: str = "",
) -> list[Block]:
    """The page but for how it is carried out: all that the snapshot is needed for.

    `left` are the steps that runs left open on this host: they stand above all else. `frozen` are the freezes that hold
    there now, each with what to do about it. `off`: why nothing may be changed.
    """
    runbook = row(RUNBOOK, Span(plan.runbook, "strong"), body=digest_words(plan.runbook_digest))
    blocks: list[Block] = [
        plan_verdict(diagnosis, plan),
        *off_blocks(snapshot, off),
        *open_blocks(left),
        *held_blocks(held_words(snapshot)),
        BLANK,
        Grid(
            (runbook, host_row(snapshot), *memory_rows(snapshot), facts_row(snapshot, now), *sudo_row(snapshot)),
            indent=0,
        ),
        BLANK,
        title("Diagnosis", f": {finding_counts(diagnosis.findings)}"),
        Grid(tuple(finding_entries((one for one in diagnosis.findings if one.state != "clear"), snapshot))),
    ]
    if diagnosis.causes:
        blocks.append(Grid(tuple(cause_rows(diagnosis.causes)), indent=0))
    blocks += newest_event(diagnosis.findings, snapshot.value(NEWEST))
    blocks += [BLANK, title("Plan", f": {steps_counted(plan)}")]
    blocks += [Grid(tuple(planned_steps(plan)), under=2), BLANK]
    return [*blocks, *_frozen(plan, frozen)]


def steps_counted(plan: Plan) -> str:
    """How many steps there are of which decision."""
    found = Counter("refused" if step.rule else step.decision for step in plan.steps)
    words = [(found["change"], "to run"), (found["not_needed"], "not needed"), (found["blocked"], "blocked")]
    return counts([*words, (found["refused"], "refused")]) or "no steps"


def _frozen(plan: Plan, frozen: Sequence[tuple[str, str]]) -> Iterator[Block]:
    """What keeps a run from changing anything now, where it would change something."""
    if not any(_acts(step) for step in plan.steps):
        return
    yield from (line(Span("NO CHANGES NOW", "warning"), ": ", Span(told, whole=True)) for told, _ in frozen)
    for hint in dict.fromkeys(hint for _, hint in frozen):
        yield line(Span("hint: ", "hint"), Span(hint, whole=True), indent=2)


def plan_end(plan: Plan, next_command: str, now: Instant | None = None, saved: str = "") -> list[Block]:
    """The last lines of the page: how much there is to carry out, and how that is done."""
    found: list[Block] = [line(f"{steps_counted(plan)}. ", Span("Nothing was changed.", "strong"))]
    if saved:
        until = moment_words(plan.expires_at, now or plan.taken_at)
        found.append(line("Saved as ", Span(saved, whole=True), f"; it can be applied until {until}"))
    if plan.changes:
        found.append(line("To carry it out:  ", to_type(next_command)))
    return found


def planned_steps(plan: Plan) -> Iterator[Row | Note]:
    """Each step with its decision, and why."""
    first = next((n for n, step in enumerate(plan.steps, 1) if _acts(step)), 0)
    for number, step in enumerate(plan.steps, 1):
        word, style = REFUSED if step.rule else WORDS[step.decision]
        name = step.change.summary if step.change else _named(step)
        cells = (str(number), Span(word, style), step.id, name)
        if step.change is None:
            yield row(*cells)
            yield from _reasons(step)
        elif not (step.gate or _acts(step)):
            yield row(*cells[:-1], f"{name} (changes nothing)")
            yield from _details(step)
        else:
            yield row(*cells, body=_gate(step))
            yield from _details(step)
        if step.provisional and step.decision != "not_needed" and not step.rule:
            yield note("", Span(_provisional(step, first), "quiet"))


def _acts(step: PlannedStep) -> bool:
    return step.change is not None and step.change.repeat is not Repeat.READ


def _named(step: PlannedStep) -> str:
    return f"{step.name}: {step.item}" if step.item else step.name


def _gate(step: PlannedStep) -> tuple[Span, ...]:
    change = step.change
    if change is None:
        return ()
    gate = "gate: type its name" if change.risk is Risk.HIGH else "gate y/N" if step.gate else "no gate"
    undo = UNDO.get(change.undo.mode, "no") if change.undo else "no"
    return text(Span(f"{change.risk.word:<7}", risk(change.risk).style), f"  {gate}   undo: {undo}")


def _reasons(step: PlannedStep) -> Iterator[Note]:
    yield note("why: ", Span(step.why, whole=True))
    if step.hint:
        yield note(Span("hint: ", "hint"), Span(step.hint, whole=True))


def _details(step: PlannedStep) -> Iterator[Note]:
    care = dict(care_words(step.change)) if step.change else {}
    if step.change and step.change.costs:
        yield note("costs   ", Span(step.change.costs, whole=True))
    if "drain" in care:
        yield note("drain   ", Span(care.pop("drain"), whole=True))
    if step.verify:
        yield note("verify  ", Span(planned_proof(step), whole=True))
    for word, said in care.items():
        yield note(f"{word:<8}", Span(said, whole=True))


def _provisional(step: PlannedStep, first: int) -> str:
    if step.decision == "blocked":
        return f"provisional: decided again on what step {first} leaves"
    return f"provisional: not needed if step {first} resolves it"
