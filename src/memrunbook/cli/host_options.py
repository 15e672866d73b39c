"""What commands that may reach hosts, or work for long, are told of what they say: `OUTPUT`, --quiet, --log-file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memrunbook.cli.options import OUTPUT, OptionGroup, OutputOptions
from memrunbook.cli.targets import typed
from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.app.connectors import Connectors
    from memrunbook.cli.conversation import Conversation

LOG_FILE = click.option(
    "--log-file",
    type=click.Path(path_type=Path),
    help="Append all that is said to this file (0600), with times in UTC; of JSON only what stands on stderr.",
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong, and the verdict.")


def _logged(*, log_file: Path | None, **values: Any) -> OutputOptions:
    output = OUTPUT.build(**values)
    assert isinstance(output, OutputOptions)
    if log_file is not None:
        from memrunbook.cli.log_file import open_log

        open_log(log_file, click.get_current_context().find_root().obj or ())
    return output


def _quiet(*, quiet: bool, **values: Any) -> OutputOptions:
    if quiet and values["verbose"]:
        raise UsageError("--quiet and --verbose ask for less and for more", hint="leave one of them out")
    if quiet and (values["as_json"] or values["format_name"] not in (None, "text")):
        raise UsageError("--quiet is for people; a document is always whole", hint="leave --quiet out")
    return replace(_logged(**values), quiet=quiet)


SHOWN_OUTPUT = OptionGroup("output", _logged, {**OUTPUT.options, "log_file": LOG_FILE})
"""Of a command whose result is a list: there is no verdict to leave it with."""
HOST_OUTPUT = OptionGroup("output", _quiet, {**OUTPUT.options, "quiet": QUIET, "log_file": LOG_FILE})
DISTRIBUTE = OptionGroup(
    "distribute",
    lambda *, distribute: distribute,
    {
        "distribute": click.option(
            "--distribute",
            is_flag=True,
            help="Have the workers of each host's site do it (runbook worker); gates are asked here all the same.",
        )
    },
)
OWN_WAY = ("identity", "known_hosts", "ssh_config", "accept_new_host_keys", "sudo", "ask_sudo_password",
           "sudo_password_fd", "patience")  # fmt: skip
"""Options that say how this node reaches hosts."""


def _workers_way(talk: Conversation) -> Connectors:
    """How many hosts are followed at once; how they are reached is the workers' own matter, and said so once."""
    from memrunbook.app.connectors import Connectors

    if unheeded := ", ".join(f"--{name.replace('_', '-')}" for name in OWN_WAY if typed(name)):
        what = f"workers reach the hosts by their own keys and files; not heeded: {unheeded}"
        talk.note(what, "say it where a worker is started")
    return Connectors(forks=talk.targets.forks)


def way_to(talk: Conversation, *, distribute: bool) -> Connectors:
    """How the hosts are reached: from here, or by their workers."""
    return _workers_way(talk) if distribute else talk.connectors()
