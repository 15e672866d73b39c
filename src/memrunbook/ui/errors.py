"""Errors: what, where, why, and what to do about it."""

from __future__ import annotations

from memrunbook.core.errors import DocumentError, RunbookError
from memrunbook.ui.block import Block, Span, line
from memrunbook.ui.problems import hint_line, problem_lines


def error_view(error: RunbookError | None, host: str = "") -> list[Block]:
    """One error; a document's carries all its problems. `host` is where it happened."""
    if error is None:
        return []
    where = " at ".join(dict.fromkeys(part for part in (host, error.where) if part))
    title = line(Span("error", "critical"), ": ", Span(f"{where}: " if where else "", whole=True),
                 Span(error.message, whole=True))  # fmt: skip
    problems = [problem_lines(problem) for problem in error.problems] if isinstance(error, DocumentError) else []
    return [title, *(block for found in problems for block in found), *hint_line(error.hint)]


def notice(words: str, hint: str = "") -> list[Block]:
    """Something that a person should know: a warning on stderr."""
    return [line(Span("note", "hint"), ": ", Span(words, whole=True)), *hint_line(hint)]
