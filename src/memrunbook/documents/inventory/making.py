"""Makes hosts of what an inventory says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import structs

from memrunbook.core.errors import UsageError
from memrunbook.core.host import LOCAL, Host
from memrunbook.core.inventory.inventory import ALL, Inventory
from memrunbook.core.inventory.patterns import select
from memrunbook.core.text import clean
from memrunbook.documents.inventory import ours
from memrunbook.documents.inventory.computed import DECRYPT, NotKnown
from memrunbook.documents.inventory.connection import Connection, not_used
from memrunbook.documents.inventory.gathered import Gathered, Given, Variables
from memrunbook.documents.inventory.merged import Merger

NAME = re.compile(r"[^\W\-.][\w.-]*|[0-9a-fA-F:.]*:[0-9a-fA-F:.%\w]*")
UNKNOWN_FILE = "{files} is encrypted by ansible-vault, and may say how this host is reached and what nobody may touch"
PASS_OVER = f"{DECRYPT}; or write `vault_files: skip` below `defaults` in config.yaml, if only secrets are in it"


@dataclass
class Maker:
    """Makes every host once; `skip_encrypted` passes over files that ansible-vault has encrypted."""

    merger: Merger
    skip_encrypted: bool = False
    _peers: dict[str, Given] = field(default_factory=dict)

    @property
    def _gathered(self) -> Gathered:
        return self.merger.gathered

    def inventory(self) -> Inventory:
        """The inventory, its hosts in the order in which they are named."""
        groups = self.merger.groups
        found = Inventory({name: self._host(name) for name in self._gathered.hosts}, groups)
        hosts = {**found.hosts, **{name: self._with_peers(found, name) for name in self._peers}}
        return Inventory(hosts, groups)

    def _host(self, name: str) -> Host:
        named = self._gathered.hosts[name]
        if not NAME.fullmatch(name):
            hint = "letters, digits, - and .; or give it such a name, and its address as ansible_host"
            self._gathered.problem(named.where, f'"{clean(name)}" is no name of a host', hint)
        levels = list(self.merger.levels(name))
        variables: Variables = {}
        for level in levels:
            variables |= level
        said = self._said(name, levels, variables)
        try:
            self._refuse_encrypted(name)
            reached = Connection(name, variables, self._own(name), Path(named.folder)).host()
        except NotKnown as unknown:
            return Host(name, where=named.where, named=_typed(name), refused=str(unknown), hint=unknown.hint, **said)
        local = reached.get("transport") == LOCAL
        return Host(
            LOCAL if local else name, where=named.where, named=LOCAL if local else _typed(name), **reached, **said
        )

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

    def _said(self, name: str, levels: Iterable[Variables], variables: Variables) -> dict[str, Any]:
        """What of a Host the keys say that are this engine's own."""
        problem, found = self._gathered.problem, dict[str, Any]()
        for level in levels:
            ours.misspelt(level, problem, self._gathered.note)
            not_used(level, self._gathered.note)
        if "peers" in variables:
            self._peers[name] = variables["peers"]
        for key, field_name, reads in (
            ("tags", "tags", ours.tags),
            ("host_key_sha256", "host_key_sha256", ours.host_keys),
            ("criticality", "criticality", ours.criticality),
            ("runbook_parameters", "parameters", ours.parameters),
        ):
            if key in variables:
                found[field_name] = reads(variables[key], problem)
        protecting = [level["protected_units"] for level in levels if "protected_units" in level]
        found["protected_units"] = ours.protected_units(protecting, problem)
        found["groups"] = tuple(group for group in self.merger.groups_of(name) if group != ALL)
        return found

    def _with_peers(self, inventory: Inventory, name: str) -> Host:
        given, host = self._peers[name], inventory.hosts[name]
        patterns = ours.words("peers", given, self._gathered.problem)
        try:
            found = select(inventory, patterns, given.where) if patterns else []
        except UsageError as error:
            self._gathered.problem(given.where, f"peers: {error.message}", error.hint)
            return host
        return structs.replace(host, peers=tuple(inventory.hosts[one].name for one in found if one != name))


def _typed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
