"""Which hosts a command line means: names as they stand, or hosts of an inventory with what that says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from memrunbook.cli.streams import on_stderr
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.core.host import LOCAL, Host, parse_hosts
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.ranges import compact
from memrunbook.documents.library import Library
from memrunbook.transports.shared.ssh_arguments import without_config

if TYPE_CHECKING:
    from memrunbook.app.choosing import InventoryArguments

SHOWN = 3
UNLISTED = "no group of it, and no rule for a group, counts"


def nobody_listens(_: Problem) -> None:
    """For those who want the hosts alone."""


ALL_OF_NONE = "`all` means the hosts of an inventory, and none was named"
NAME_ONE = "name one: -i FILE, $RUNBOOK_INVENTORY, or in config.yaml: defaults: {inventory: [FILE]}"


def named_hosts(targets: Targets, tell: Callable[[Problem], object] = nobody_listens) -> tuple[Host, ...]:
    """The hosts that are meant, as what was typed, their inventory, and config.yaml say in this order of weight.

    What of their inventory is not used is told in one note.
    UsageError where nobody is: a whole inventory that nobody named on this command line is never meant by silence.
    """
    if not targets.names_hosts:
        raise UsageError("no host was named", hint=_how(targets))
    if not targets.inventory and any(ALL in word.split(",") for word in (*targets.host, *targets.limit)):
        raise UsageError(ALL_OF_NONE, where="--host all", hint=NAME_ONE)
    if not targets.inventory and not targets.limit and not any(word.startswith("@") for word in targets.host):
        return tuple(as_typed(targets, host) for host in parse_hosts(targets.host))
    from memrunbook.app import choose

    known = inventory_of(targets) if targets.inventory else Inventory()
    hosts = choose(known, targets.host, targets.limit)
    for note in _not_used(known, [host.name for host in hosts]):
        tell(note)
    return tuple(as_typed(targets, host) for host in hosts)


def _not_used(known: Inventory, hosts: Sequence[str]) -> tuple[Problem, ...]:
    """What an inventory says of these hosts and is not used, in one note."""
    notes = known.notes_of(hosts)
    if not notes:
        return ()
    first, more = notes[0], len(notes) - 1
    what = f"{first.where}: {first.message}{f'; and {more} more like it' if more else ''}"
    return (Problem("--inventory", what, "runbook hosts --check lists what is not used" if more else first.hint),)


def not_listed(hosts: Sequence[Host]) -> tuple[Problem, ...]:
    """What should be known of hosts that were named beside an inventory: it does not have them. This machine apart."""
    words = compact(host.typed for host in hosts if host.unlisted and host.transport != LOCAL)
    if not words:
        return ()
    them = f"{', '.join(words[:SHOWN])}{f' and {len(words) - SHOWN} more' if len(words) > SHOWN else ''}"
    many = len(words) > 1 or "[" in words[0]
    what = f"{them} {'are' if many else 'is'} not in the inventory: {UNLISTED}"
    return (Problem("--host", what, "runbook hosts lists the hosts and groups of the inventory"),)


def recorded_hosts(targets: Targets) -> tuple[Host, ...]:
    """The hosts that recordings stand for, each named by its file; a limit chooses among them.

    UsageError for a folder without one, for two of one name, and where a host is named too.
    """
    from memrunbook.app import choose
    from memrunbook.transports.shared.bundle import ENDINGS, bundles

    if targets.host:
        raise UsageError("--replay stands for hosts: none can be named too", where="--host", hint="leave one out")
    files: dict[str, Path] = {}
    for file in (file for path in targets.replay for file in bundles(path)):
        name = ENDINGS.sub("", file.name) or file.name
        if files.setdefault(name, file) is not file:
            hint = "rename one, or read them one after the other"
            raise UsageError(f"two recordings are named {name}: {files[name]} is the other", where=str(file), hint=hint)
    hosts = [Host(name, transport="replay", source=str(file), tags=targets.tag) for name, file in files.items()]
    if not targets.limit:
        return tuple(hosts)
    return choose(Inventory().with_hosts(hosts), (ALL,), targets.limit)


def inventory_of(targets: Targets) -> Inventory:
    """Everything that the inventories of a command say."""
    from memrunbook.app import inventory

    return inventory(inventory_arguments(targets))


def inventory_arguments(targets: Targets) -> InventoryArguments:
    """Which inventories a command reads, and how."""
    from memrunbook.app import InventoryArguments

    return InventoryArguments(
        sources=targets.inventory, skip_encrypted=targets.skip_vault_files, ruling_tags=targets.ruling_tags
    )


def ruled(library: Library, targets: Targets, hosts: Sequence[str] = ()) -> Library:
    """The library, with what the inventory says by now: for commands whose hosts stand in a plan or a run.

    What it says of these `hosts` and is not used is told.

    An inventory that cannot be read holds up nobody who takes something back: what it said then still counts.
    """
    if not targets.inventory:
        return library
    try:
        known = inventory_of(targets)
    except DocumentError as error:
        first = error.problems[0]
        said = f"note: the inventory cannot be read ({first.where}: {first.message}): what it said then counts\n"
        on_stderr(said)
        return library
    for note in _not_used(known, hosts):
        on_stderr(f"note: {note.message}\n")
    return replace(library, hosts={host.name: host for host in known.hosts.values()})


def _how(targets: Targets) -> str:
    if targets.inventory:
        return "add --host NAME or --limit PATTERN; --host all means every host of the inventory"
    return "add --host NAME, or --host local for this machine, or an inventory: -i FILE"


def as_typed(targets: Targets, host: Host) -> Host:
    """The host, reached as was typed, else as its inventory says, else as config.yaml does."""
    tags = tuple(dict.fromkeys((*host.tags, *targets.tag)))
    sudo = "" if targets.sudo_typed else host.sudo
    if host.transport == LOCAL:
        return structs.replace(host, tags=tags, sudo=sudo)
    return structs.replace(
        host,
        user=host.user or targets.user,
        port=host.port or targets.port,
        transport=targets.transport,
        tags=tags,
        sudo=sudo,
        ssh_args=without_config(host.ssh_args) if targets.ssh_config_typed else host.ssh_args,
    )
