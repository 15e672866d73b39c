"""Hosts and the groups that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct, structs

from memrunbook.core.errors import Problem
from memrunbook.core.host import Host

ALL, UNGROUPED = "all", "ungrouped"


class HostGroup(Struct, frozen=True):
    """A group: the hosts that it names itself, the groups inside it, and the `file:line` that names it first."""

    name: str
    hosts: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    where: str = ""


class Inventory(Struct, frozen=True, dict=True):
    """Hosts and groups by name. `notes` are what should be known of the files and refuses nothing.

    `noted` are those that are about one host.

    Every group stands inside `all`, and every host in a group, be it `ungrouped`.
    """

    hosts: Mapping[str, Host] = {}
    groups: Mapping[str, HostGroup] = {}
    notes: tuple[Problem, ...] = ()
    noted: Mapping[str, tuple[Problem, ...]] = {}

    def members(self, group: str) -> list[str]:
        """The hosts of a group and of those inside it: its own first, then those of its groups, then of theirs."""
        found = {name: None for one in self.inside(group) for name in self.groups[one].hosts}
        return list(found)

    def inside(self, group: str) -> Iterator[str]:
        """A group and all groups inside it, the nearest first."""
        seen, waiting = {group}, [group]
        while waiting:
            name = waiting.pop(0)
            yield name
            fresh = [child for child in self.groups[name].children if child not in seen]
            seen.update(fresh)
            waiting += fresh

    @cached_property
    def by_address(self) -> Mapping[str, str]:
        """The name of the host that has an address; of no address that two have."""
        found: dict[str, str] = {}
        for host in self.hosts.values():
            if host.address:
                found[host.address] = "" if host.address in found else host.name
        return {address: name for address, name in found.items() if name and address not in self.hosts}

    def known(self, word: str) -> Host | None:
        """The host of this name or address; None where the inventory has none."""
        return self.hosts.get(word) or self.hosts.get(self.by_address.get(word, ""))

    def notes_of(self, hosts: Iterable[str]) -> tuple[Problem, ...]:
        """What should be known of what is said of these hosts, each once."""
        return tuple(dict.fromkeys(note for name in hosts for note in self.noted.get(name, ())))

    def with_hosts(self, more: Iterable[Host]) -> Inventory:
        """This inventory, with hosts beside it that were named otherwise."""
        hosts = {**self.hosts}
        fresh = [host.name for host in more if hosts.setdefault(host.name, host) is host]
        every = self.groups.get(ALL, HostGroup(ALL))
        groups = {**self.groups, ALL: structs.replace(every, hosts=(*every.hosts, *fresh))}
        return Inventory(hosts, groups, self.notes)
