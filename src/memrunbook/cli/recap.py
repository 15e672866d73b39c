"""The last page of a run over several hosts: how each ended, the verdict, and what to type next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show, while_heard

if TYPE_CHECKING:
    from memrunbook.app import RunResult
    from memrunbook.app.leaving import LeftAtOnce
    from memrunbook.cli.options import OutputOptions
    from memrunbook.core.host import Host
    from memrunbook.ui.block import Block


UNTOLD = "what waits is tried again by the next run, and by: runbook notify send"


@dataclass(frozen=True)
class Again:
    """How a runbook is run again.

    `begun` are words that it was begun with and that the command under way has no options for, `retry_file` is the file
    that it has written where that was not typed now.
    """

    runbook: str
    begun: Sequence[str] = ()
    retry_file: str = ""

    def on(self, host: Host, *more: str) -> str:
        """`runbook run NAME --host HOST …`, with `more` words."""
        from memrunbook.cli.next_command import run_command

        return run_command(self.runbook, host, more=[*self.begun, *more])

    def on_all(self, hosts: Sequence[Host], *, beside: bool) -> str:
        """`runbook run NAME --host A,B …`, or with the file of hosts that the command under way has written.

        Not with that where others stand `beside` them in it, which another command goes on with.
        """
        from memrunbook.cli.next_command import kept_options

        typed = click.get_current_context().params.get("retry_file")
        file = typed or self.retry_file
        named = f"@{file}" if file and not beside else ",".join(host.typed for host in hosts)
        writes = ["--retry-file", file] if file and not typed else []
        return shlex.join(["runbook", "run", self.runbook, "--host", named, *kept_options(more=[*self.begun, *writes])])


def recap_page(
    result: RunResult,
    output: OutputOptions,
    again: Again | None = None,
    hosts: Sequence[Host] = (),
    *,
    resumes: bool = True,
) -> list[Block]:
    """The page; where it may be run `again` it says how, on those of the `hosts` that did not end well.

    Not on those with which `runbook resume` goes on: that comes first, and looks at what was begun. Without `resumes`
    it is not named.
    """
    from memrunbook.core.run.failures import WELL
    from memrunbook.ui.block import BLANK, line, to_type
    from memrunbook.ui.recap import recap_view
    from memrunbook.ui.report import is_lost, record_view

    page = [
        *recap_view(result.reports, result.run_id, verbose=output.verbose),
        BLANK,
        *record_view(result.run_id, lost=False),
    ]
    behind = {report.host: report.outcome for report in result.reports if is_lost(report)}
    stopped = result.stopped or "interrupted" in behind.values()
    unbegun = {report.host for report in result.reports if result.stopped and report.outcome == "not_begun"}
    bad = {report.host for report in result.reports if report.outcome not in WELL}.difference(behind, unbegun)
    if resumes and (behind or stopped):
        where = "with this run" if stopped else "where a host was lost"
        page.append(line(f"To go on {where}:  ", to_type(f"runbook resume {result.run_id}")))
    if again is not None and bad:
        told = again.on_all([host for host in hosts if host.name in bad], beside=bool(behind or unbegun))
        page.append(line("To run it again on these hosts:  ", to_type(told)))
    return page


def show_end(output: OutputOptions, reply: Reply, result: RunResult) -> int:
    """Shows how a run ended and, below that, that its retry file does not say it; the exit code, 6 then.

    Who is to be notified and may not be is told too: the exit code stays that of the run.
    """
    code = show(output, reply)
    if result.unwritten is None and not result.untold:
        return code
    from memrunbook.ui.errors import error_view, notice
    from memrunbook.ui.screen import Screen

    for words in result.untold:
        while_heard(Screen(output.color, sys.stderr).show)(notice(words, UNTOLD))
    if result.unwritten is None:
        return code
    while_heard(Screen(output.color, sys.stderr).show)(error_view(result.unwritten))
    return exit_codes.worst((code, exit_codes.of_error(result.unwritten)))


def show_left(left: LeftAtOnce, output: OutputOptions) -> None:
    """What is known of each host when Ctrl-C was pressed again; what is said to whoever leaves comes behind it."""
    from memrunbook.documents.printed.run import run_summary
    from memrunbook.ui.recap import recap_view

    show(
        output,
        Reply(
            exit_codes.INTERRUPTED,
            lambda: run_summary(left.run_id, left.reports),
            lambda: [recap_view(left.reports, left.run_id, verbose=output.verbose)],
        ),
    )
