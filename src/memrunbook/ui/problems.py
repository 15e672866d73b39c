"""What is wrong with documents: every problem with its place and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.core.errors import Problem
from memrunbook.ui.block import Block, Line, Span, line, text
from memrunbook.ui.words import listed, plural


def problems_view(
    problems: Sequence[Problem], doubts: Sequence[Problem] = (), runbooks: int = 0, house: Sequence[str] = ()
) -> list[Block]:
    """All problems of all files, then what is allowed but doubtful; `house` names the files that are no runbooks."""
    files = [*([plural(runbooks, "runbook")] if runbooks else []), *house]
    checked = f" in {listed(files)}" if files else ""
    if not problems and not doubts:
        return [line(Span("OK", "good"), f": no problems{checked}")]
    word = Span("INVALID", "critical") if problems else Span("VALID", "good")
    blocks: list[Block] = [
        line(word, f": {plural(len(problems), 'problem')}, {plural(len(doubts), 'warning')}{checked}")
    ]
    blocks += [block for problem in problems for block in problem_lines(problem)]
    return blocks + [block for doubt in doubts for block in problem_lines(doubt, Span("warning: ", "warning"))]


def left_out_view(problems: Sequence[Problem]) -> list[Block]:
    """What was left out of a diagnosis because it cannot be used."""
    head = line(Span("warning", "warning"), ": runbooks that cannot be used were left out of this diagnosis")
    return [head, *(block for problem in problems for block in problem_lines(problem))]


def problem_lines(problem: Problem, word: Span | str = "") -> list[Line]:
    """One problem, and its hint below it."""
    head = line(Span(f"{problem.where}: ", "strong", whole=True), word, Span(problem.message, whole=True), indent=2)
    return [head, *hint_line(problem.hint, indent=4)]


def hint_line(hint: str, indent: int = 2) -> list[Line]:
    """What to do about it, where that is known."""
    return [Line(text(" " * indent, Span("hint: ", "hint")), text(Span(hint, whole=True)), indent)] if hint else []
