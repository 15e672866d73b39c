"""runbook mcp: lets an assistant (MCP) read hosts and propose plans; it can run and approve nothing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.defect import report_defect
from memrunbook.cli.formats import format_of
from memrunbook.cli.naming import inventory_of, named_hosts, recorded_hosts
from memrunbook.cli.next_command import OptionsOf
from memrunbook.cli.options import HISTORY, HOSTS_OR_REPLAY, LIBRARY, STATE, STORE, OutputOptions, common
from memrunbook.cli.streams import while_heard
from memrunbook.cli.targets import Targets
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.core.host import Host

AT_A_TERMINAL = (
    "an assistant starts this and speaks to it on stdin and stdout (docs/how-to/assistant.md); Ctrl-C ends it"
)


@click.command()
@common(HOSTS_OR_REPLAY, LIBRARY, STATE, STORE, HISTORY)
def command(targets: Targets, library: Library, state: Path, store: str, *, history: bool) -> int:
    """Serve an assistant on stdin and stdout by the Model Context Protocol, until it closes them.

    It reads the hosts that are named here, or those of the inventory, and no others; what it wants to be done it
    proposes, and a person approves and applies that (runbook pending). It never runs, approves or changes anything.
    """
    from memrunbook.mcp.served import Served
    from memrunbook.mcp.start import check_libraries, serve_client

    check_libraries()
    talk = Conversation(OutputOptions(format_of("text")), replace(targets, no_input=True))
    argv = click.get_current_context().find_root().obj or ()
    served = Served(
        library=library,
        state=state,
        store=store,
        inventory=_inventory(talk),
        reach=talk.connectors().reach,
        forks=targets.forks,
        history=history,
        again=OptionsOf("forks"),
        code_of=exit_codes.of_error,
        defect=lambda error: report_defect(error, list(argv)),
    )
    if sys.stdin.isatty():
        talk.note(AT_A_TERMINAL, "")
    serve_client(served)
    _end()
    return exit_codes.OK


def _inventory(talk: Conversation) -> Inventory:
    """The hosts that may be named, and the groups that hold some of them."""
    targets = talk.targets
    if targets.replay:
        return Inventory().with_hosts(recorded_hosts(targets))
    if not targets.names_hosts and not targets.inventory:
        return Inventory()
    everywhere = targets if targets.names_hosts else replace(targets, limit=(ALL,))
    hosts = _told(talk, everywhere)
    known = inventory_of(targets) if targets.inventory else Inventory()
    names = {host.name: host for host in hosts}
    groups = {
        name: structs.replace(group, hosts=tuple(host for host in group.hosts if host in names))
        for name, group in known.groups.items()
    }
    listed = Inventory({name: names[name] for name in known.hosts if name in names}, groups)
    return listed.with_hosts(hosts)


def _told(talk: Conversation, targets: Targets) -> Sequence[Host]:
    return named_hosts(targets, lambda one: talk.note(one.message, one.hint))


def _end() -> None:
    """Nobody listens any more, and nothing is changed: what still reads a host, or waits for a line, is left."""
    while_heard(sys.stderr.flush)()
    if threading.active_count() > 1:
        os._exit(exit_codes.OK)
