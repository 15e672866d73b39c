"""runbook show: one runbook explained."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memrunbook.cli.completing import complete_runbooks
from memrunbook.cli.options import LIBRARY, OUTPUT, PARAMETERS, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show, tell
from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean
from memrunbook.documents.library import Library

UNCUT = 1 << 20

if TYPE_CHECKING:
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.documents.printed.show import ShowDocument
    from memrunbook.ui.block import Block


@click.command()
@click.argument("name", shell_complete=complete_runbooks)
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the runbook's file as it is: to read, or to begin with.")
@common(PARAMETERS, LIBRARY, OUTPUT)
def command(name: str, parameters: dict[str, str], library: Library, output: OutputOptions, *, as_yaml: bool) -> int:
    """Explain a runbook: what it recognises, what it would do, and at which risk."""
    if as_yaml:
        _refuse_beside_yaml(parameters, output)
        content = library.content(name)
        return tell(0, lambda: _written(content))
    runbook = library.runbook(name, parameters)
    return show(output, Reply(0, lambda: _document(runbook), lambda: _pages(runbook)))


def _refuse_beside_yaml(parameters: dict[str, str], output: OutputOptions) -> None:
    if parameters or not output.format.CONVERSES:
        what = "-p" if parameters else "another format"
        raise UsageError(f"--yaml prints the file as it is: {what} changes nothing of it", hint="leave one of them out")


def _written(content: bytes) -> None:
    """The bytes of the file; on a terminal nothing of them steers it."""
    if sys.stdout.isatty():
        sys.stdout.write("".join(f"{clean(line, UNCUT)}\n" for line in content.decode("utf-8", "replace").splitlines()))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def _document(runbook: Runbook) -> ShowDocument:
    from memrunbook.documents.printed.show import show_document

    return show_document(runbook)


def _pages(runbook: Runbook) -> Iterator[list[Block]]:
    from memrunbook.ui.runbooks import show_view

    yield show_view(runbook)
