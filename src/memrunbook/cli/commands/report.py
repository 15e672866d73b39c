"""runbook report: what one run did, from its journal."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runs
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.sending import HTML, refuse_unwritable, show_and_send
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library


@click.command()
@click.argument("run", metavar="RUN", shell_complete=complete_runs)
@common(CONFIG, STATE, STORE, HTML, OUTPUT)
def command(run: str, library: Library, state: Path, store: str, html: Path | None, output: OutputOptions) -> int:
    """Show what a run did on each host and why; RUN is its id, or: last. Exit 7 where a step is open."""
    from memrunbook.app.shown_report import run_document, run_page, run_pages, told_of

    refuse_unwritable(html, output)
    try:
        told = told_of(state, run)
    except UsageError as error:
        from memrunbook.app.elsewhere import where_it_is

        raise where_it_is(error, run, state, library, store) from None
    left = exit_codes.UNKNOWN if told.result.open else exit_codes.OK
    code = exit_codes.worst([exit_codes.JOURNAL if told.doubts else exit_codes.OK, left])
    reply = Reply(code, lambda: run_document(told), partial(run_pages, told, verbose=output.verbose))
    return show_and_send(output, reply, html, lambda: run_page(told))
