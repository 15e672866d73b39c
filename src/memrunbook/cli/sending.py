"""`--html FILE`: the answer once more, as a page to send."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import OptionGroup, OutputOptions
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show, tell, while_heard
from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.ui.html.page import Page

STDOUT = Path("-")
HTML = OptionGroup(
    "html",
    lambda *, html: html,
    {
        "html": click.option(
            "--html",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Also write it as a page to send: one file, readable by you alone; -: on stdout, and nothing else.",
        )
    },
)


def refuse_unwritable(html: Path | None, output: OutputOptions) -> None:
    """UsageError where no page can be written to that file: before a host is read, not after."""
    if html is None:
        return
    if html == STDOUT:
        if not output.format.CONVERSES:
            raise UsageError("two answers cannot share stdout", where="--html -", hint="name a file for the page")
        return
    from memrunbook.state.page_file import refuse_page
    from memrunbook.ui.html.page import MARK

    refuse_page(html, MARK)


def show_and_send(output: OutputOptions, reply: Reply, html: Path | None, page: Callable[[], Page]) -> int:
    """Shows an answer and, where that was asked for, writes its page; the exit code.

    A page that cannot be written is told and never 0; the answer was shown then.
    """
    if html is None:
        return show(output, reply)
    from memrunbook.ui.html.page import render

    if html == STDOUT:
        return tell(reply.code, lambda: sys.stdout.write(render(page())))
    code = show(output, reply)
    return exit_codes.worst((code, _write(output, html, render(page()))))


def _write(output: OutputOptions, html: Path, text: str) -> int:
    from memrunbook.core.units import format_bytes
    from memrunbook.state.page_file import write_page
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.html.page import MARK
    from memrunbook.ui.screen import Screen

    say = while_heard(Screen(output.color, sys.stderr).show)
    try:
        size = write_page(html, text, MARK)
    except UsageError as error:
        say(error_view(error))
        return exit_codes.USAGE
    say([line("The page to send: ", Span(str(html), whole=True), f" ({format_bytes(size)})")])
    return exit_codes.OK
