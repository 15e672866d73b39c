"""runbook record: what hosts answer, kept in files that diagnose and plan read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import SHOWN_OUTPUT
from memrunbook.cli.options import HOSTS_OR_REPLAY, LIBRARY, WATCH, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import Interrupted
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.recording import RecordedHost, RecordResult
    from memrunbook.documents.printed.recording import RecordDocument
    from memrunbook.ui.block import Block


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    required=True,
    help="The file; for several hosts a folder of files. With a slash at its end it is a folder for one host too.",
)
@click.option(
    "--mask",
    is_flag=True,
    help="Hide names too, of hosts, services, processes, files, containers, and ids; -v says which is which.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@common(HOSTS_OR_REPLAY, WATCH, LIBRARY, SHOWN_OUTPUT)
def command(
    targets: Targets,
    output: OutputOptions,
    library: Library,
    watch: float | None,
    out: str,
    *,
    mask: bool,
    force: bool,
) -> int:
    """Read everything that diagnose reads, and keep the answers in a file. Nothing is changed.

    Each file is written when its host has ended: Ctrl-C among several loses none of those.

    The file stands for the host wherever a command has --replay. With --replay here a recording is recorded again, as
    to mask it.
    """
    from memrunbook.app import RecordArguments, record

    del library  # it is where the usual inventory and login are named
    talk = Conversation(output, targets)
    arguments = RecordArguments(
        hosts=talk.hosts,
        out=Path(out),
        folder=out.endswith("/"),
        connectors=talk.connectors(),
        watch=watch,
        force=force,
        mask=mask,
    )
    result = record(arguments, talk.meanwhile, stop=talk.stop)
    code = exit_codes.worst(exit_codes.of_error(one.error) if one.error else exit_codes.OK for one in result.hosts)
    return show(
        output, Reply(code, lambda: _document(result), lambda: _pages(result, Path(out), verbose=output.verbose))
    )


def _document(result: RecordResult) -> RecordDocument:
    from memrunbook.documents.printed.recording import PrintedRecording, record_document

    def printed(one: RecordedHost) -> PrintedRecording:
        name = one.reached.name
        if one.file is None:
            unread: Literal["unreachable", "interrupted"] = (
                "interrupted" if isinstance(one.reached.error, Interrupted) else "unreachable"
            )
            why = str(one.error or "")
            return PrintedRecording(host=name, outcome=unread if one.reached.error else "failed", error=why)
        return PrintedRecording(
            host=name,
            outcome="ok",
            called=one.called,
            file=str(one.file),
            size_bytes=one.size_bytes,
            samples=one.samples,
            answers=one.answers,
            unanswered=one.unanswered,
        )

    return record_document(map(printed, result.hosts), masked=result.masked)


def _pages(result: RecordResult, out: Path, *, verbose: bool) -> Iterator[list[Block]]:
    from memrunbook.ui.errors import error_view
    from memrunbook.ui.recording import RecordingShown, names_view, recordings_view

    for one in result.hosts:
        if one.error is not None:
            yield error_view(one.error, one.reached.name)
    found = [
        RecordingShown(one.reached.name, one.called, one.file, one.size_bytes, one.samples, one.answers, one.unanswered)
        for one in result.hosts
        if one.file is not None
    ]
    if found:
        reads = out if len(found) > 1 else found[0].file
        yield recordings_view(found, shlex.join(["runbook", "diagnose", "--replay", str(reads)]), masked=result.masked)
    if verbose and result.names:
        yield names_view(result.names)
