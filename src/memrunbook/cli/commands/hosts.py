"""runbook hosts: the hosts of the inventory, what they are, and which line says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.naming import inventory_arguments, inventory_of, not_listed
from memrunbook.cli.options import LIBRARY, REACH, OptionGroup, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.choosing import InventoryCheck
    from memrunbook.core.host import Host
    from memrunbook.documents.printed.hosts import HostsDocument
    from memrunbook.ui.block import Block

NAMES = ("host", "inventory", "limit")
TARGETS = OptionGroup(
    "targets",
    partial(
        Targets,
        identity=(),
        known_hosts=(),
        ssh_config=None,
        accept_new_host_keys=False,
        sudo="auto",
        transport="ssh",
        patience=None,
        forks=1,
        no_input=True,
    ),
    {name: REACH[name] for name in NAMES},
)


@click.command()
@click.option(
    "--check", is_flag=True, help="Read everything, and say all that is wrong or doubtful; 2 where it is wrong."
)
@common(TARGETS, LIBRARY, HOST_OUTPUT)
def command(targets: Targets, library: Library, output: OutputOptions, *, check: bool) -> int:
    """List the hosts of the inventory with their groups, address, tags, and the line that names each; -v says more.

    No host is reached. --host and --limit choose among them.
    """
    if not targets.inventory:
        hint = "-i FILE, $RUNBOOK_INVENTORY, or inventory: FILE below defaults in config.yaml"
        raise UsageError("there is no inventory", hint=hint)
    found = _checked(targets, library) if check else _read(targets)
    hosts = () if found.problems else _chosen(targets, found)
    found = replace(found, notes=(*not_listed(hosts), *found.notes))
    wrong = check and bool(found.problems or any(host.refused for host in hosts))
    code = exit_codes.USAGE if wrong else exit_codes.OK
    pages = partial(_check_page, found, hosts) if check else partial(_pages, found, hosts, targets, output)
    return show(output, Reply(code, lambda: _document(found, hosts), pages))


def _checked(targets: Targets, library: Library) -> InventoryCheck:
    from memrunbook.app import check_inventory

    return check_inventory(inventory_arguments(targets), library)


def _read(targets: Targets) -> InventoryCheck:
    from memrunbook.app import InventoryCheck

    found = inventory_of(targets)
    return InventoryCheck(found, (), found.notes)


def _chosen(targets: Targets, found: InventoryCheck) -> tuple[Host, ...]:
    from memrunbook.app import choose

    if not found.inventory.hosts:
        return ()
    return choose(found.inventory, targets.host, targets.limit)


def _document(found: InventoryCheck, hosts: tuple[Host, ...]) -> HostsDocument:
    from memrunbook.documents.printed.hosts import hosts_document

    return hosts_document(hosts, found.inventory.groups.values(), found.problems, found.notes)


def _pages(
    found: InventoryCheck, hosts: tuple[Host, ...], targets: Targets, output: OutputOptions
) -> Iterator[list[Block]]:
    from memrunbook.documents.inventory.beside import shown
    from memrunbook.ui.hosts import groups_view, hosts_view

    sources = [shown(Path(source)) if source.startswith("/") else source for source in targets.inventory]
    yield hosts_view(hosts, sources, verbose=output.verbose)
    if output.verbose:
        chosen = set(hosts)
        yield groups_view(found.inventory, [name for name, host in found.inventory.hosts.items() if host in chosen])


def _check_page(found: InventoryCheck, hosts: tuple[Host, ...]) -> Iterator[list[Block]]:
    from memrunbook.ui.hosts import checked_view

    yield checked_view(hosts, found.problems, found.notes)
