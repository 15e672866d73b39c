"""runbook diagnose: what is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.options import (
    HOSTS_OR_REPLAY,
    LIBRARY,
    OUTPUT,
    PARAMETERS,
    STATE,
    WATCH,
    OutputOptions,
    common,
)
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.diagnosing import DiagnoseResult
    from memrunbook.core.plan.judged import Judged
    from memrunbook.documents.printed.diagnose import DiagnoseDocument
    from memrunbook.ui.block import Block


@click.command()
@click.option("--quick", is_flag=True, help="Judge by the first reading alone: what needs a rate is unknown.")
@click.option(
    "--fail-on",
    "fail_on",
    type=click.Choice(["incident", "warning"]),
    default="incident",
    show_default=True,
    help="Exit with 8 when an incident applies, or when a warning stands too.",
)
@common(HOSTS_OR_REPLAY, WATCH, PARAMETERS, LIBRARY, STATE, OUTPUT)
def command(
    targets: Targets,
    output: OutputOptions,
    library: Library,
    state: Path,
    parameters: dict[str, str],
    watch: float | None,
    fail_on: str,
    *,
    quick: bool,
) -> int:
    """Read hosts and judge them by all runbooks. Nothing is changed."""
    from memrunbook.app import DiagnoseArguments, diagnose

    talk = Conversation(output, targets)
    arguments = DiagnoseArguments(
        hosts=talk.hosts,
        connectors=talk.connectors(),
        library=library,
        state=state,
        parameters=parameters,
        watch=watch,
        quick=quick,
    )
    result = diagnose(arguments, talk.meanwhile, stop=talk.stop, meanwhile=_load_views, told=partial(_tell, talk))
    if result.left_out:
        from memrunbook.ui.problems import left_out_view
        from memrunbook.ui.screen import Screen

        Screen(output.color, sys.stderr).show(left_out_view(result.left_out))
    pages = partial(_pages, result, output)
    return show(output, Reply(_code(result, fail_on), lambda: _document(result), pages, by_host=True))


def _tell(talk: Conversation, judged: Judged, off: str) -> None:
    from memrunbook.documents.printed.diagnose_host import diagnose_host

    talk.tell(lambda: diagnose_host(judged, off))


def _load_views() -> None:
    """Loads what is needed only when the last sample is there."""
    import memrunbook.ui.diagnosis
    import memrunbook.ui.screen  # noqa: F401


def _code(result: DiagnoseResult, fail_on: str) -> int:
    code = exit_codes.worst(_code_of(judged, fail_on) for judged in result.hosts)
    return exit_codes.USAGE if code == exit_codes.OK and result.left_out else code  # not all was judged: no "OK"


def _code_of(judged: Judged, fail_on: str) -> int:
    if judged.reached.error is not None:
        return exit_codes.of_error(judged.reached.error)
    from memrunbook.core.plan.standing import standing

    stands = standing(judged.diagnosis.runbooks if judged.diagnosis is not None else ())
    stated = fail_on == "warning" and stands.worst in ("critical", "warning")
    if stands.within or stated:
        return exit_codes.INCIDENT
    return exit_codes.OK if stands.judged else exit_codes.NOT_JUDGED


def _document(result: DiagnoseResult) -> DiagnoseDocument:
    from memrunbook.documents.printed.diagnose import diagnose_document

    return diagnose_document(result.hosts, result.off)


def _pages(result: DiagnoseResult, output: OutputOptions) -> Iterator[list[Block]]:
    from memrunbook.cli.next_command import parameter_words, reach
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.diagnosis import diagnosis_view
    from memrunbook.ui.errors import error_view

    given = {runbook: parameter_words(values) for runbook, values in result.parameters.items()}
    for judged in result.hosts:
        reached, diagnosis = judged.reached, judged.diagnosis
        if reached.snapshot is None or diagnosis is None:
            yield error_view(reached.error, reached.name)
        else:
            options, now = reach(reached.host, without="parameters"), SystemClock().now()
            yield diagnosis_view(
                diagnosis, reached.snapshot, options, now, given=given, verbose=output.verbose, off=result.off
            )
