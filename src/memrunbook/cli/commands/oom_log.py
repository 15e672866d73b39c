"""runbook oom-log: explains a saved kernel log without a host: who was killed, why, and what may help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.options import OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show

if TYPE_CHECKING:
    from memrunbook.documents.printed.oom_log import OomLogDocument
    from memrunbook.linux.oomlog.event import KernelLog
    from memrunbook.ui.block import Block


@click.command("oom-log")
@click.argument("file", metavar="FILE")
@click.option(
    "--events", default=10, type=click.IntRange(0, 10_000), show_default=True, help="The newest so many, in full."
)
@common(HOST_OUTPUT)
def command(file: str, events: int, output: OutputOptions) -> int:
    """Explain a saved kernel log (dmesg, journal, syslog, JSON, mail; also packed); - reads it from stdin.

    Exit 2 where nothing in it is a kernel's line; a kernel's log without an event is 0.
    """
    from memrunbook.app import explain_log
    from memrunbook.app.explaining import tells

    log = explain_log(file)
    code = exit_codes.OK if tells(log) else exit_codes.USAGE
    return show(output, Reply(code, lambda: _document(log), lambda: _pages(log, file, events)))


def _document(log: KernelLog) -> OomLogDocument:
    from memrunbook.documents.printed.oom_log import oom_log_document

    return oom_log_document(log)


def _pages(log: KernelLog, file: str, events: int) -> Iterator[list[Block]]:
    from memrunbook.ui.oom_log import oom_log_view

    yield oom_log_view(log, "stdin" if file == "-" else file, events)
