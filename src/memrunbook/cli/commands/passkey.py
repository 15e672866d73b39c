"""runbook passkey: who may register a passkey, which are registered, and taking one away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import CONFIG, STATE, common
from memrunbook.cli.streams import say_line
from memrunbook.cli.subcommands import Subcommands
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.state.known_passkeys import KnownPasskey


@click.group(cls=Subcommands)
def command() -> None:
    """Passkeys for the pages of `runbook serve`: invite people to register one, list them, remove one."""


@command.command()
@click.argument("name")
@click.option("--url", default="", metavar="URL", help="Where a browser reaches the pages; else as config.yaml says.")
@common(CONFIG, STATE)
def invite(name: str, url: str, library: Library, state: Path) -> int:
    """Print a link by which NAME registers a passkey, once, within 10 minutes.

    NAME is as in allowed_signers, and has a role in config.yaml. It works on a server of this state directory, one
    that runs already too.
    """
    from memrunbook.app.registered_passkeys import invitation

    say_line(f"Register within 10 minutes, once: {invitation(library, state, name, url)}")
    return exit_codes.OK


@command.command("list")
@common(CONFIG, STATE)
def list_(library: Library, state: Path) -> int:
    """List the passkeys that are registered, each with its line for allowed_signers and whether it stands there."""
    from memrunbook.app.registered_passkeys import registered

    found = registered(library, state)
    for one in found:
        say_line(f"{_told(one.passkey)}; {f'approvals do not count: {one.fault}' if one.fault else 'approvals count'}")
        say_line(f"  {one.passkey.allowed}")
    if not found:
        say_line("No passkey is registered. One is by the link of: runbook passkey invite NAME")
    return exit_codes.OK


@command.command()
@click.argument("credential", metavar="ID")
@common(STATE)
def remove(credential: str, state: Path) -> int:
    """Take a passkey away, by its id or the beginning of it: nobody signs in with it, and its sessions end.

    Approvals with it count until its line is removed from allowed_signers, or stands in revoked_keys.
    """
    from memrunbook.app.registered_passkeys import removed

    say_line(f"Removed: {_told(removed(state, credential))}")
    say_line("If it is lost, write its key into the file revoked_keys too: its approvals count until then.")
    return exit_codes.OK


def _told(one: KnownPasskey) -> str:
    at = one.at[:16].replace("T", " ")
    return f"{one.credential}: {one.person} at {one.relying_party}, registered {at} UTC"
