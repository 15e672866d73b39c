"""What the files of an inventory say, before anything is made of it: hosts, groups, variables, and their places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memrunbook.core.errors import Problem
from memrunbook.core.host import MOST_HOSTS
from memrunbook.core.inventory.inventory import ALL, UNGROUPED
from memrunbook.core.ranges import names_in
from memrunbook.core.text import clean

WITH_PORT = re.compile(r"(?:\[(?P<inside>[^\]]+)\]|(?P<name>[^:]+)):(?P<port>\d{1,5})")
LOGIN = re.compile(r"(?P<user>[^@\s]+)@(?P<rest>[^@\s]+)")
PORT, USER = "ansible_port", "ansible_user"


OURS = ("host_key_sha256", "tags", "criticality", "protected_units", "peers", "runbook_parameters", "site")
"""The variables that are this engine's own."""


def is_read(name: str) -> bool:
    """True for a variable that something here is made of."""
    return name in OURS or name.startswith("ansible_")


class Encrypted:
    """The value of a variable that ansible-vault has encrypted."""


class Unread:
    """A value that nothing here is made of."""


class Given(NamedTuple):
    """The value of a variable, and its `file:line`."""

    value: Any
    where: str


Variables = dict[str, Given]


def _file(given: Given) -> str:
    return given.where.rpartition(":")[0]


@dataclass
class NamedHost:
    """A host: where it is named first, in which file of which folder, and the variables that stand there."""

    where: str
    variables: Variables = field(default_factory=dict)
    folder: str = ""
    file: str = ""


@dataclass
class NamedGroup(NamedHost):
    """A group: the hosts that it names, and the groups inside it."""

    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)


@dataclass
class Gathered:
    """All sources together; `problems` are what is wrong with them, `notes` what should be known of them.

    `folder` and `file` are those that are being read.
    """

    hosts: dict[str, NamedHost] = field(default_factory=dict)
    groups: dict[str, NamedGroup] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    folder: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        """The two groups that there always are."""
        self.groups[ALL], self.groups[UNGROUPED] = NamedGroup(""), NamedGroup("")

    def problem(self, where: str, message: str, hint: str = "") -> None:
        """Notes what is wrong."""
        self.problems.append(Problem(where, message, hint))

    def note(self, where: str, message: str, hint: str = "") -> None:
        """Notes what should be known."""
        self.notes.append(Problem(where, message, hint))

    def group(self, name: str, where: str) -> NamedGroup:
        """The group of this name; it is made where it is not there yet."""
        found = self.groups.setdefault(name, NamedGroup(where))
        found.where = found.where or where
        return found

    def assign(self, named: NamedHost, name: str, given: Given) -> None:
        """Sets a variable of a host or a group; another value in another line of the same file is doubtful."""
        before = named.variables.get(name)
        if before is not None and is_read(name) and before.value != given.value and _file(before) == _file(given):
            self.note(given.where, f"{clean(name)} is set twice: this one counts", f"the first: {before.where}")
        named.variables[name] = given

    def doubled(self, key: str, first: str, where: str) -> None:
        """Notes a key that stands twice in one mapping."""
        self.note(where, f'"{clean(key)}" stands twice in this mapping: the last one counts', f"the first: {first}")

    def nest(self, parent: str, child: str, where: str) -> None:
        """Puts a group into another; a group inside itself is a problem."""
        self.group(child, where)
        if child == parent or parent in self._below(child):
            self.problem(where, f"the group {child} would stand inside itself", f"take {child} out of {parent}")
            return
        self.groups[parent].children[child] = None

    def host(self, word: str, group: str, where: str) -> list[str]:
        """Names the hosts that a word stands for in a group; their names. What is no host is a problem."""
        try:
            names = [self._one(name, group, where) for name in names_in(word)]
        except ValueError as error:
            self.problem(where, str(error))
            return []
        return names

    def _one(self, word: str, group: str, where: str) -> str:
        login = LOGIN.fullmatch(word)
        rest = login["rest"] if login else word
        match = WITH_PORT.fullmatch(rest)
        name = (match["inside"] or match["name"] if match else rest).removeprefix("[").removesuffix("]")
        if len(self.hosts) >= MOST_HOSTS and name not in self.hosts:
            raise ValueError(f"more than {MOST_HOSTS} hosts are named")
        host = self.hosts.setdefault(name, NamedHost(where, folder=self.folder, file=self.file))
        if match:
            host.variables.setdefault(PORT, Given(int(match["port"]), where))
        if login:
            host.variables.setdefault(USER, Given(login["user"], where))
        self.group(group, where).hosts[name] = None
        return name

    def _below(self, group: str) -> set[str]:
        seen: set[str] = set()
        waiting = [group]
        while waiting:
            fresh = [child for child in self.groups[waiting.pop()].children if child not in seen]
            seen.update(fresh)
            waiting += fresh
        return seen
