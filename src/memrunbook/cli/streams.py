"""The streams of the process: they may be closed, full, or read by nobody; that never changes what a run does."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec

from memrunbook.cli import exit_codes

if TYPE_CHECKING:
    from memrunbook.cli.options import OutputOptions
    from memrunbook.cli.reply import Reply

P = ParamSpec("P")


def open_closed() -> None:
    """Puts /dev/null where a standard stream is closed: else the journal would get its number, and what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  a number, for good
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def allow_many_files() -> None:
    """Raises the soft limit of open files as far as the system lets it: each host that is waited for holds two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tell(code: int, draw: Callable[[], object]) -> int:
    """Draws a result on stdout and returns the exit code: that of what was done, whoever reads of it.

    A reader that has gone (`| head`) is no error. A result that could not be written for another reason is never 0.
    """
    try:
        draw()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich and click turn the one into the other
        silence()
    except OSError as error:
        silence()
        on_stderr(
            f"error: stdout: the result cannot be written: {error.strerror}\n"
            "  hint: write it elsewhere; what was done is in the journal\n"
        )
        return exit_codes.worst((code, exit_codes.USAGE))
    return code


def show(output: OutputOptions, reply: Reply) -> int:
    """Writes an answer in the format that was asked for; the exit code."""
    return tell(reply.code, lambda: output.format.show(_short(reply) if output.quiet else reply, output.color))


def _short(reply: Reply) -> Reply:
    """Its verdicts and what went wrong; whoever listens hears all of it."""
    from memrunbook.ui.quiet import short

    return replace(reply, pages=lambda: short(reply.pages()))


def say_line(words: str) -> None:
    """A line on stdout; a terminal that is too narrow for it gets it folded between words, commands in it whole."""
    from memrunbook.ui.block import Span, line
    from memrunbook.ui.screen import Screen

    Screen("never").say([line(Span(words, whole=True))])


def on_stderr(words: str) -> None:
    """Writes lines of the conversation that are drawn by nobody; whoever listens hears them too."""
    from memrunbook.ui.overheard import hear

    hear(words)
    while_heard(sys.stderr.write)(words)


def silence() -> None:
    """Nothing more is written to stdout, what is still in its buffer included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def while_heard(say: Callable[P, object]) -> Callable[P, None]:
    """Says things until that fails: a closed pipe or terminal must not end a run in the middle of a change."""
    gone = threading.Event()

    def said(*args: P.args, **named: P.kwargs) -> None:
        if gone.is_set():
            return
        try:
            say(*args, **named)
        except (OSError, SystemExit):
            gone.set()

    return said
