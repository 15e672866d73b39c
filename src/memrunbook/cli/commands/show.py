"""runbook show: one runbook explained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memrunbook.cli.completing import complete_runbooks
from memrunbook.cli.options import LIBRARY, OUTPUT, PARAMETERS, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.documents.printed.show import ShowDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("name", shell_complete=complete_runbooks)
@common(PARAMETERS, LIBRARY, OUTPUT)
def command(name: str, parameters: dict[str, str], library: Library, output: OutputOptions) -> int:
    """Explain a runbook: what it recognises, what it would do, and at which risk."""
    runbook = library.runbook(name, parameters)
    return show(output, Reply(0, lambda: _document(runbook), lambda: _pages(runbook)))


def _document(runbook: Runbook) -> ShowDocument:
    from memrunbook.documents.printed.show import show_document

    return show_document(runbook)


def _pages(runbook: Runbook) -> Iterator[list[Block]]:
    from memrunbook.ui.runbooks import show_view

    yield show_view(runbook)
