"""runbook runs: what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import typed
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.plan.restarts import Helped
    from memrunbook.ui.block import Block


@click.command()
@click.option("--unit", default="", metavar="NAME", help="How often runs changed this unit, and how long that helped.")
@common(CONFIG, STATE, STORE, OUTPUT)
def command(unit: str, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """List the runs, the newest first: when, who, which runbook, which hosts, how they ended.

    With a store that is a server those of other control nodes too. Exit 7 where a step is open.
    """
    from memrunbook.app import list_runs
    from memrunbook.app.accounting import doubts_about_list
    from memrunbook.app.elsewhere import elsewhere
    from memrunbook.app.going_on import words_here
    from memrunbook.app.shown_runs import list_document, list_page

    if not state.exists() and typed("state_dir"):
        raise UsageError("there is no such folder", where=f"--state-dir {state}", hint="check the path")
    if unit:
        return _of_unit(unit, library, state, store, output)
    others = elsewhere(state, library, store)
    found = list_runs(state)
    doubts = [*doubts_about_list(state), *others.doubts(state, found.runs)]
    left = exit_codes.UNKNOWN if found.open else exit_codes.OK
    code = exit_codes.worst([exit_codes.JOURNAL if doubts else exit_codes.OK, left])
    words = words_here(state, library, store)
    return show(
        output,
        Reply(
            code,
            lambda: list_document(found, doubts, others),
            lambda: [list_page(found, doubts, words, exit_codes.most_severe, others)],
        ),
    )


def _of_unit(unit: str, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    from memrunbook.app import RestartsArguments, restarts
    from memrunbook.documents.printed.restarts import restarts_document

    found = restarts(RestartsArguments(unit=unit, library=library, state=state, store=store))
    return show(output, Reply(exit_codes.OK, lambda: restarts_document(unit, found), lambda: _unit_pages(unit, found)))


def _unit_pages(unit: str, found: Sequence[Helped]) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.restarts import restarts_view

    yield restarts_view(unit, found, SystemClock().now())
