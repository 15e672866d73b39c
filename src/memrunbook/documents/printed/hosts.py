"""`runbook hosts --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import Problem
from memrunbook.core.host import Host, HostParameter, ProtectedUnit
from memrunbook.core.inventory.inventory import HostGroup
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.problems import PrintedProblem


class InventoryHost(Struct, frozen=True, kw_only=True):
    """A host of an inventory; `where` is the file and line that names it, `refused` why it cannot be worked with.

    An empty address, user, sudo and port 0 mean: as `ssh` and the options would.
    """

    name: str
    address: str
    user: str
    port: int
    transport: str
    identities: tuple[str, ...]
    ssh_args: tuple[str, ...]
    sudo: Literal["", "always", "never"]
    host_key_sha256: tuple[str, ...]
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    criticality: Literal["", "low", "medium", "high", "critical"]
    site: str
    peers: tuple[str, ...]
    protected_units: tuple[ProtectedUnit, ...]
    parameters: tuple[HostParameter, ...]
    where: str
    refused: str
    hint: str


class HostsDocument(Document, frozen=True, kw_only=True):
    """runbook hosts --json."""

    format: Literal["memrunbook.hosts/1"] = "memrunbook.hosts/1"
    hosts: tuple[InventoryHost, ...]
    groups: tuple[HostGroup, ...]
    problems: tuple[PrintedProblem, ...]
    notes: tuple[PrintedProblem, ...]


def hosts_document(
    hosts: Iterable[Host], groups: Iterable[HostGroup], problems: Iterable[Problem], notes: Iterable[Problem]
) -> HostsDocument:
    """Hosts, groups, and what is wrong or doubtful."""
    return HostsDocument(
        hosts=tuple(map(_host, hosts)),
        groups=tuple(groups),
        problems=tuple(PrintedProblem(**one._asdict()) for one in problems),
        notes=tuple(PrintedProblem(**one._asdict()) for one in notes),
    )


def _host(host: Host) -> InventoryHost:
    return InventoryHost(
        name=host.name,
        address=host.address,
        user=host.user,
        port=host.port,
        transport=host.transport,
        identities=host.identities,
        ssh_args=host.ssh_args,
        sudo=host.sudo,
        host_key_sha256=tuple(filter(None, host.host_key_sha256.split(","))),
        groups=host.groups,
        tags=host.tags,
        criticality=host.criticality,
        site=host.site,
        peers=host.peers,
        protected_units=host.protected_units,
        parameters=host.parameters,
        where=host.where,
        refused=host.refused,
        hint=host.hint,
    )
