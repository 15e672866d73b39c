"""runbook notify: who is told what happens while nobody sits at the keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_receivers
from memrunbook.cli.options import CONFIG, OUTPUT, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import say_line, show
from memrunbook.cli.subcommands import Subcommands
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.notifying import Sent
    from memrunbook.core.run.queued import Queued
    from memrunbook.documents.printed.notifications import NotificationsDocument
    from memrunbook.ui.block import Block


@click.group(cls=Subcommands)
def command() -> None:
    """Try out the receivers of config.yaml, list what they were told, or send what waits."""


@command.command("list")
@common(CONFIG, STATE, STORE, OUTPUT)
def list_(library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """List what waits, what was sent and what was given up (of the last 30 days), the newest first."""
    from memrunbook.app.going_on import completed, words_here
    from memrunbook.app.notifying import waiting

    found = waiting(state, library, store)
    send = completed("runbook notify send --all", words_here(state, library, store))
    return show(output, Reply(exit_codes.OK, lambda: _document(found), lambda: _pages(found, send)))


@command.command()
@click.argument("receiver", default="", metavar="[RECEIVER]", shell_complete=complete_receivers)
@common(CONFIG)
def test(receiver: str, library: Library) -> int:
    """Send a test to RECEIVER, or to all of config.yaml, and say whether it was taken.

    Exit 3 where one did not take it.
    """
    from memrunbook.app.notifying import try_out

    return _say(try_out(library, receiver))


@command.command()
@click.option("--all", "every", is_flag=True, help="Also what would be tried only later.")
@common(CONFIG, STATE, STORE)
def send(library: Library, state: Path, store: str, *, every: bool) -> int:
    """Send what waits and is due. Exit 3 where a receiver did not take it: that waits for the next try."""
    from memrunbook.app.notifying import send_waiting

    return _sent(send_waiting(state, library, store, every=every))


def _say(tried: Mapping[str, str]) -> int:
    for name, why in tried.items():
        say_line(f"{name}: NOT taken: {why}" if why else f"{name}: taken")
    return exit_codes.FAILED if any(tried.values()) else exit_codes.OK


def _sent(found: Sent) -> int:
    say_line(f"{found.taken} message{'s' * (found.taken != 1)} sent")
    for name, why in found.problems.items():
        say_line(f"{name}: NOT taken, and tried again later: {why}")
    return exit_codes.FAILED if found.problems else exit_codes.OK


def _document(found: Sequence[Queued]) -> NotificationsDocument:
    from memrunbook.documents.printed.notifications import notifications_document

    return notifications_document(found)


def _pages(found: Sequence[Queued], send: str) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.notifications import notifications_view

    yield notifications_view(found, SystemClock().now().utc, send)
