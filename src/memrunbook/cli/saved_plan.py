"""What to do next with a plan that was saved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from memrunbook.cli.next_command import apply_command, approve_command
from memrunbook.core.plan.approval import people_for
from memrunbook.core.plan.plan import Plan
from memrunbook.documents.library import Library
from memrunbook.ui.block import Block, Span, line, to_type


def approval_lines(path: Path, people: int) -> list[Block]:
    """How others approve a plan, where they must."""
    if not people:
        return []
    whom = "1 person other than you" if people == 1 else f"{people} people other than you"
    return [line(f"To be approved by {whom} first:  ", to_type(approve_command(path)))]


def saved_lines(path: Path, people: int) -> list[Block]:
    """Where a plan is, how others approve it, and how it is carried out: from here, also where workers had made it."""
    workers = click.get_current_context().params.get("distribute", False)
    how = "To apply it, where this node itself reaches the host:  " if workers else "To apply it:  "
    return [
        line("The plan is saved in ", Span(str(path), whole=True)),
        *approval_lines(path, people),
        line(how, to_type(apply_command(path))),
    ]


def people(library: Library, plans: Iterable[Plan]) -> int:
    """How many people other than its author must approve a plan."""
    return people_for(library.config().approvals, plans)
