"""What holds for one host: variables of all levels, the later instead of the earlier, as Ansible documents it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from memrunbook.core.inventory.inventory import ALL, UNGROUPED, HostGroup
from memrunbook.documents.inventory.beside import Beside
from memrunbook.documents.inventory.gathered import Gathered, Variables

PRIORITY = "ansible_group_priority"


@dataclass
class Merger:
    """Groups in their order, and the variables of each host."""

    gathered: Gathered
    beside: Beside

    @cached_property
    def groups(self) -> Mapping[str, HostGroup]:
        """Every group inside `all`, and every host in a group."""
        named = self.gathered.groups
        inside = {child for group in named.values() for child in group.children}
        held = {host for name, group in named.items() if name not in (ALL, UNGROUPED) for host in group.hosts}
        top = [name for name in named if name not in (ALL, UNGROUPED) and name not in inside]
        found = {
            name: HostGroup(name, tuple(group.hosts), tuple(group.children), group.where)
            for name, group in named.items()
        }
        loose = tuple(host for host in self.gathered.hosts if host not in held)
        found[UNGROUPED] = HostGroup(UNGROUPED, loose, (), named[UNGROUPED].where)
        children = tuple(dict.fromkeys([*named[ALL].children, UNGROUPED, *top]))
        found[ALL] = HostGroup(
            ALL, tuple(host for host in named[ALL].hosts if host not in loose), children, named[ALL].where
        )
        return found

    @cached_property
    def _parents(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in self.groups}
        for name, group in self.groups.items():
            for child in group.children:
                found[child].append(name)
        return found

    @cached_property
    def _depth(self) -> Mapping[str, int]:
        """How far a group is from `all`, by the longest way. There are no circles."""
        found: dict[str, int] = {}
        waiting = list(self.groups)
        while waiting:
            name = waiting[-1]
            fresh = [parent for parent in self._parents[name] if parent not in found]
            if fresh:
                waiting += fresh
                continue
            found[waiting.pop()] = max((found[parent] + 1 for parent in self._parents[name]), default=0)
        return found

    @cached_property
    def _direct(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in self.gathered.hosts}
        for name, group in self.groups.items():
            for host in group.hosts:
                found[host].append(name)
        return found

    def groups_of(self, host: str) -> list[str]:
        """The groups that a host is in, in the order in which they count: `all`, then by depth, priority and name."""
        seen: dict[str, None] = {ALL: None}
        waiting = list(self._direct[host])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen[name] = None
                waiting += self._parents[name]
        return sorted(seen, key=lambda name: (self._depth[name], self._priority(name), name))

    def levels(self, host: str) -> Iterator[Variables]:
        """The variables of a host, level by level: those of a later level count instead of those of an earlier one."""
        groups = self.groups_of(host)
        yield from (self.gathered.groups[name].variables for name in groups)
        yield from (self._of_group(name) for name in groups)
        yield self.gathered.hosts[host].variables
        yield self.beside.variables("host_vars", host)

    def encrypted(self, host: str) -> list[str]:
        """The files for this host or its groups that ansible-vault has encrypted; after `levels`."""
        found = [file for name in self.groups_of(host) for file in self.beside.encrypted.get(("group_vars", name), ())]
        return [*found, *self.beside.encrypted.get(("host_vars", host), ())]

    def _of_group(self, name: str) -> Variables:
        if name not in self._files:
            self._files[name] = self.beside.variables("group_vars", name)
        return self._files[name]

    @cached_property
    def _files(self) -> dict[str, Variables]:
        return {}

    def _priority(self, name: str) -> int:
        given = self.gathered.groups[name].variables.get(PRIORITY)
        try:
            return int(given.value) if given is not None else 1
        except (TypeError, ValueError):
            return 1
