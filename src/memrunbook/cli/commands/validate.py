"""runbook validate: what is wrong with runbook files, all at once."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import LIBRARY, OUTPUT, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell
from memrunbook.cli.wiring import Wiring
from memrunbook.core.errors import DocumentError, Problem, UsageError


@click.command()
@click.argument("files", nargs=-1)
@common(LIBRARY, OUTPUT)
def command(settings: Settings, files: tuple[str, ...], **_: Any) -> int:
    """Check runbooks for form and sense: FILES, or every runbook of the search path."""
    from memrunbook.documents.library import entries
    from memrunbook.documents.sense import warnings

    wiring = Wiring(settings)
    names = files or tuple(entry.name for entry in entries(settings.runbook_dirs) if not entry.shadowed)
    problems: list[Problem] = []
    doubts: list[Problem] = []
    for name in names:
        try:
            doubts += warnings(wiring.runbook(name))
        except DocumentError as error:
            problems += error.problems
        except UsageError as error:
            problems.append(Problem(error.where or name, error.message, error.hint))
    code = exit_codes.USAGE if problems else exit_codes.OK
    if settings.json:
        return tell(code, lambda: emit("problems", _document(problems, doubts)))
    from memrunbook.ui.problems import problems_view
    from memrunbook.ui.screen import Screen

    return tell(code, lambda: Screen(settings.color).show(problems_view(problems, doubts, len(names))))


def _document(problems: list[Problem], doubts: list[Problem]) -> dict[str, Any]:
    return {
        "problems": [problem._asdict() for problem in problems],
        "warnings": [doubt._asdict() for doubt in doubts],
    }
