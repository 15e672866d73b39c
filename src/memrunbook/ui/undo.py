"""What is taken back of a run, as a page: from what to what, what is not needed, and what is left alone and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from memrunbook.core.action.action import Risk
from memrunbook.core.plan.plan import DecisionWord, Plan, PlannedStep
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row, text, to_type
from memrunbook.ui.words import counts, plural, risk

WORDS: dict[DecisionWord, tuple[str, Style]] = {
    "change": ("take back", "strong"),
    "not_needed": ("not needed", ""),
    "blocked": ("left alone", "warning"),
}


def undo_view(run_id: str, plan: Plan, next_command: str) -> list[Block]:
    """The page of a dry run; `next_command` carries it out."""
    found: list[Block] = [*planned_view(run_id, plan), BLANK]
    found.append(line(f"{_counted(plan)}. ", Span("Nothing was changed.", "strong")))
    if plan.changes:
        found.append(line("To carry it out:  ", to_type(next_command)))
    return found


def planned_view(run_id: str, plan: Plan) -> list[Block]:
    """What an undo is about to do on one host, the newest change first."""
    many, left = len(plan.steps), len(plan.changes)
    some = "none" if left == 0 else str(left)
    title = f"{some} of {plural(many, 'change')} of run {run_id} {'are' if left > 1 else 'is'} to be taken back on "
    return [line(Span("UNDO", "strong"), ": ", title, Span(plan.host, "strong")), Grid(tuple(_steps(plan)), under=2)]


def nothing_view(run_id: str) -> list[Block]:
    """What is said of a run that changed nothing."""
    return [line(f"Run {run_id} changed nothing: there is nothing to take back.")]


def _counted(plan: Plan) -> str:
    found = Counter(step.decision for step in plan.steps)
    return counts((found[decision], "to take back" if decision == "change" else word)
                  for decision, (word, _) in WORDS.items())  # fmt: skip


def _steps(plan: Plan) -> Iterator[Row | Note]:
    for number, step in enumerate(plan.steps, 1):
        word, style = WORDS[step.decision]
        cells = (str(number), Span(word, style), step.id)
        if step.change is None:
            yield row(*cells, step.name)
        else:
            yield row(*cells, step.change.summary, body=_gate(step.change.risk))
            yield note("undoes: ", Span(step.name, whole=True))
        yield from _reasons(step)


def _reasons(step: PlannedStep) -> Iterator[Note]:
    if step.why:
        yield note("why: ", Span(step.why, whole=True))
    if step.hint:
        yield note(Span("hint: ", "hint"), Span(step.hint, whole=True))
    if step.change is not None:
        yield note("costs   ", Span(step.change.costs, whole=True))
        yield note("verify  ", Span(step.verify, whole=True))
    if step.provisional:
        yield note("", Span("provisional: looked at again when the step above is taken back", "quiet"))


def _gate(level: Risk) -> tuple[Span, ...]:
    gate = "gate: type its name" if level is Risk.HIGH else "gate y/N"
    return text(Span(f"{level.word:<7}", risk(level).style), f"  {gate}")
