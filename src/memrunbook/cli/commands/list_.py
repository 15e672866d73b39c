"""runbook list: the runbooks that can be run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memrunbook.cli.options import LIBRARY, OUTPUT, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.documents.library import Library, LibraryEntry

if TYPE_CHECKING:
    from memrunbook.documents.printed.listing import ListDocument
    from memrunbook.ui.block import Block


@click.command("list")
@common(LIBRARY, OUTPUT)
def command(library: Library, output: OutputOptions) -> int:
    """List the runbooks, where they come from and which one wins."""
    found = library.entries()
    return show(output, Reply(0, lambda: _document(found), lambda: _pages(found)))


def _document(found: list[LibraryEntry]) -> ListDocument:
    from memrunbook.documents.printed.listing import list_document

    return list_document(found)


def _pages(found: list[LibraryEntry]) -> Iterator[list[Block]]:
    from memrunbook.ui.listing import Listed, list_view

    yield list_view(Listed(**entry._asdict()) for entry in found)
