"""Makes hosts of what an inventory says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import structs

from memrunbook.core.errors import Problem, UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.inventory.patterns import select
from memrunbook.core.text import clean
from memrunbook.documents.inventory import ours
from memrunbook.documents.inventory.computed import DECRYPT, NotKnown
from memrunbook.documents.inventory.connection import Accepts, Connection, not_used, nothing_refused
from memrunbook.documents.inventory.gathered import Gathered, Given, Variables
from memrunbook.documents.inventory.merged import Merger

NAME = re.compile(r"[^\W\-.][\w.-]*|[0-9a-fA-F:.]*:[0-9a-fA-F:.%\w]*")
UNKNOWN_FILE = "{files} is encrypted by ansible-vault, and may say how this host is reached and what nobody may touch"
PASS_OVER = f"{DECRYPT}; or write `vault_files: skip` below `defaults` in config.yaml, if only secrets are in it"


@dataclass
class Maker:
    """Makes every host once; `skip_encrypted` passes over files that ansible-vault has encrypted.

    `accepts` is as in Connection. `ruling` are the tags that config.yaml asks for.
    """

    merger: Merger
    skip_encrypted: bool = False
    accepts: Accepts = nothing_refused
    ruling: frozenset[str] = frozenset()
    _peers: dict[str, Given] = field(default_factory=dict)
    _noted: dict[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def _gathered(self) -> Gathered:
        return self.merger.gathered

    def inventory(self) -> Inventory:
        """The inventory, its hosts in the order in which they are named."""
        groups = self.merger.groups
        found = Inventory({name: self._host(name) for name in self._gathered.hosts}, groups)
        addresses = frozenset(host.address for host in found.hosts.values() if host.address)
        hosts = {**found.hosts, **{name: self._with_peers(found, addresses, name) for name in self._peers}}
        return Inventory(hosts, groups, noted={hosts[name].name: notes for name, notes in self._noted.items()})

    def _host(self, name: str) -> Host:
        named = self._gathered.hosts[name]
        if not NAME.fullmatch(name):
            hint = "letters, digits, - and .; or give it such a name, and its address as ansible_host"
            self._gathered.problem(named.where, f'"{clean(name)}" is no name of a host', hint)
        levels = list(self.merger.levels(name))
        variables: Variables = {}
        for level in levels:
            variables |= level
        broken: list[Problem] = []
        reached: dict[str, Any] = {}
        said = self._said(name, levels, variables, lambda *told: broken.append(Problem(*told)))
        try:
            self._refuse_encrypted(name)
            reached = Connection(name, variables, self._own(name), Path(named.folder), self.accepts).host()
        except NotKnown as unknown:
            said |= {"refused": str(unknown), "hint": unknown.hint}
        local = reached.get("transport") == LOCAL
        host = Host(
            LOCAL if local else name, where=named.where, named=LOCAL if local else _typed(name), **reached, **said
        )
        return next((_refused(host, one) for one in broken if not host.refused), host)

    def _refuse_encrypted(self, name: str) -> None:
        files = self.merger.encrypted(name)
        if files and not self.skip_encrypted:
            raise NotKnown(UNKNOWN_FILE.format(files=" and ".join(dict.fromkeys(files))), PASS_OVER)

    def _own(self, name: str) -> Mapping[str, str]:
        """What Ansible itself says of a host."""
        named = self._gathered.hosts[name]
        return {
            "inventory_hostname": name,
            "inventory_hostname_short": name.partition(".")[0],
            "inventory_dir": named.folder,
            "inventory_file": named.file,
        }

    def _said(self, name: str, levels: Iterable[Variables], variables: Variables, refuse: ours.Told) -> dict[str, Any]:
        """What of a Host the keys say that are this engine's own."""
        note = self._note_of(name)
        for level in levels:
            ours.misspelt(level, refuse, note)
            not_used(level, note)
        if "peers" in variables:
            self._peers[name] = variables["peers"]
        readers: dict[str, tuple[str, Callable[[Given], object]]] = {
            "tags": ("tags", lambda given: ours.tags(given, note, refuse, self.ruling)),
            "host_key_sha256": ("host_key_sha256", lambda given: ours.host_keys(given, refuse)),
            "criticality": ("criticality", lambda given: ours.criticality(given, note)),
            "site": ("site", lambda given: ours.site(given, note)),
            "runbook_parameters": ("parameters", lambda given: ours.parameters(given, refuse)),
        }
        found = {field_name: read(variables[key]) for key, (field_name, read) in readers.items() if key in variables}
        protecting = [level["protected_units"] for level in levels if "protected_units" in level]
        found["protected_units"] = ours.protected_units(protecting, refuse)
        found["groups"] = tuple(group for group in self.merger.groups_of(name) if group != ALL)
        return found

    def _with_peers(self, inventory: Inventory, addresses: frozenset[str], name: str) -> Host:
        given, host = self._peers[name], inventory.hosts[name]
        broken: list[Problem] = []
        patterns = ours.peers_meant(
            given, self._names, addresses, self._note_of(name), lambda *told: broken.append(Problem(*told))
        )
        try:
            found = select(inventory, patterns, given.where) if patterns else []
        except UsageError as error:
            broken.append(Problem(given.where, f"peers: {error.message}", error.hint))
        for one in broken:
            return host if host.refused else _refused(host, one)
        return structs.replace(host, peers=tuple(inventory.hosts[one].name for one in found if one != name))

    def _note_of(self, name: str) -> ours.Told:
        def note(where: str, message: str, hint: str) -> None:
            self._gathered.note(where, message, hint)
            self._noted[name] = (*self._noted.get(name, ()), Problem(where, message, hint))

        return note

    @cached_property
    def _names(self) -> list[str]:
        return [*self.merger.groups, *self._gathered.hosts]


def _refused(host: Host, broken: Problem) -> Host:
    """The host that is not worked with: what may say who must not be touched there cannot be understood."""
    return structs.replace(host, refused=f"{broken.message} ({broken.where})", hint=broken.hint)


def _typed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
