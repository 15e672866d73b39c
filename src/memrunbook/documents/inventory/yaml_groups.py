"""Reads an inventory in YAML: groups of hosts, children and vars."""

from __future__ import annotations

import difflib

import yaml

from memrunbook.core.text import clean
from memrunbook.documents.inventory import nodes
from memrunbook.documents.inventory.gathered import Gathered, NamedHost, Variables
from memrunbook.documents.inventory.nodes import Node

KEYS = ("hosts", "children", "vars")
MOST_GROUPS = 20_000
PLUGIN = "plugin"
BY_ANSIBLE = "where Ansible is installed let it read this: -i ansible:{shown}"


def looks_like_groups(node: Node | None) -> bool:
    """True for a mapping whose every value is a mapping or nothing: what YAML makes of INI is none."""
    return isinstance(node, yaml.MappingNode) and all(
        nodes.is_mapping(value) or nodes.is_empty(value) or key == PLUGIN for key, _, value in nodes.pairs(node)
    )


class YamlReader:
    """One reading of one file; `shown` is its name in messages. What is wrong is noted, and the rest is read."""

    def __init__(self, gathered: Gathered, shown: str) -> None:
        self._gathered = gathered
        self._shown = shown
        self._left = MOST_GROUPS

    def read(self, root: Node | None) -> None:
        """Reads the groups of a file."""
        if not nodes.is_mapping(root) or root is None:
            where = nodes.where(self._shown, root) if root is not None else self._shown
            if nodes.is_empty(root):
                self._gathered.note(where, "this file is empty")
            else:
                self._gathered.problem(where, "this is no mapping of groups", "as in: web: {hosts: {web01: }}")
            return
        found = {name: value for name, _, value in nodes.pairs(root)}
        if PLUGIN in found and isinstance(found[PLUGIN].value, str):
            what = f"this configures Ansible's inventory plugin {clean(found[PLUGIN].value)}, which only Ansible runs"
            where = nodes.where(self._shown, found[PLUGIN])
            self._gathered.problem(where, what, BY_ANSIBLE.format(shown=self._shown))
            return
        for double, first, again in nodes.doubles(root):
            self._gathered.doubled(double, nodes.where(self._shown, first), nodes.where(self._shown, again))
        for name, key, value in nodes.pairs(root):
            self._group(name, key, value)

    def _group(self, name: str, key: Node, node: Node) -> None:
        where = nodes.where(self._shown, key)
        self._left -= 1
        if self._left < 0:
            if self._left == -1:
                self._gathered.problem(where, f"more than {MOST_GROUPS} groups are named")
            return
        if not (nodes.is_mapping(node) or nodes.is_empty(node)):
            self._gathered.note(
                where, f"{clean(name)} is no group, and was passed over", "a group has hosts, children, vars"
            )
            return
        self._gathered.group(name, where)
        for part, at, value in nodes.pairs(node) if nodes.is_mapping(node) else ():
            if part not in KEYS:
                self._unknown(part, name, at)
            elif self._is_named(part, name, value):
                self._part(part, name, value)

    def _part(self, part: str, group: str, node: Node) -> None:
        if part == "vars":
            self._set(self._gathered.groups[group], nodes.variables(node, self._shown))
        elif part == "children":
            self._children(group, node)
        else:
            self._hosts(group, node)

    def _is_named(self, part: str, group: str, node: Node) -> bool:
        """True where there is a mapping; a single word is one too."""
        if isinstance(node, yaml.ScalarNode) and not nodes.is_empty(node) and part != "vars":
            if part == "hosts":
                self._gathered.host(str(node.value), group, nodes.where(self._shown, node))
            else:
                self._gathered.nest(group, str(node.value), nodes.where(self._shown, node))
            return False
        if nodes.is_mapping(node) or nodes.is_empty(node):
            return nodes.is_mapping(node)
        hint = f"write a colon behind each name, as in {part}: {{web01: , web02: }}, and no dash before it"
        self._gathered.problem(nodes.where(self._shown, node), f"{part} of {clean(group)} is no mapping", hint)
        return False

    def _children(self, group: str, node: Node) -> None:
        for name, key, value in nodes.pairs(node):
            self._group(name, key, value)
            if name in self._gathered.groups:
                self._gathered.nest(group, name, nodes.where(self._shown, key))

    def _hosts(self, group: str, node: Node) -> None:
        for word, key, value in nodes.pairs(node):
            at = nodes.where(self._shown, key)
            names = self._gathered.host(word, group, at)
            if nodes.is_mapping(value):
                given = nodes.variables(value, self._shown)
                for name in names:
                    self._set(self._gathered.hosts[name], given)
            elif not nodes.is_empty(value):
                what = f"{clean(word)} has a value that is no mapping"
                self._gathered.problem(at, what, f"as in {clean(word)}: {{ansible_host: 192.0.2.7}}, or nothing")

    def _set(self, named: NamedHost, given: Variables) -> None:
        for name, value in given.items():
            self._gathered.assign(named, name, value)

    def _unknown(self, key: str, group: str, node: Node) -> None:
        where, close = nodes.where(self._shown, node), difflib.get_close_matches(key, KEYS, n=1)
        what = f'"{clean(key)}" in the group {clean(group)} is none of hosts, children, vars'
        if close:
            self._gathered.problem(where, what, f"did you mean {close[0]}?")
        else:
            self._gathered.note(where, f"{what}, and was passed over")
