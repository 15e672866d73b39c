"""runbook validate: what is wrong with runbook files, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runbooks_or_files
from memrunbook.cli.options import LIBRARY, OUTPUT, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import told_inventory
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.validating import ValidateResult
    from memrunbook.documents.printed.problems import ProblemsDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("files", nargs=-1, shell_complete=complete_runbooks_or_files)
@common(LIBRARY, OUTPUT)
def command(files: tuple[str, ...], library: Library, output: OutputOptions) -> int:
    """Check runbooks for form and sense: FILES, or every runbook of the search path and the files of the house.

    Those are config.yaml, services.yaml and schedules.yaml; a file of the last name is checked as one.
    """
    from memrunbook.app import validate

    result = validate(library, files, told_inventory())
    code = exit_codes.USAGE if result.problems else exit_codes.OK
    return show(output, Reply(code, lambda: _document(result), lambda: _pages(result)))


def _document(result: ValidateResult) -> ProblemsDocument:
    from memrunbook.documents.printed.problems import problems_document

    return problems_document(result.problems, result.doubts)


def _pages(result: ValidateResult) -> Iterator[list[Block]]:
    from memrunbook.ui.problems import problems_view

    yield problems_view(result.problems, result.doubts, result.checked, result.house)
