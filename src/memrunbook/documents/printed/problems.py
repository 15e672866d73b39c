"""`runbook validate --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import Problem
from memrunbook.documents.printed import Document


class PrintedProblem(Struct, frozen=True):
    """One thing that is wrong with a document: file, line and column; what it is; how to mend it."""

    where: str
    message: str
    hint: str


class ProblemsDocument(Document, frozen=True, kw_only=True):
    """runbook validate --json."""

    format: Literal["memrunbook.problems/1"] = "memrunbook.problems/1"
    problems: tuple[PrintedProblem, ...]
    warnings: tuple[PrintedProblem, ...]


def problems_document(problems: Iterable[Problem], doubts: Iterable[Problem]) -> ProblemsDocument:
    """What is wrong, and what is allowed but doubtful."""
    return ProblemsDocument(
        problems=tuple(PrintedProblem(**problem._asdict()) for problem in problems),
        warnings=tuple(PrintedProblem(**doubt._asdict()) for doubt in doubts),
    )
