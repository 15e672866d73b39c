"""Reads an inventory in Ansible's INI: sections of hosts, :vars and :children, values that are Python literals."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator
from typing import Any

from memrunbook.core.text import clean
from memrunbook.documents.inventory.gathered import Encrypted, Gathered, Given, Unread

SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
CHILD = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
KINDS = ("hosts", "children", "vars")
LONGEST_VALUE = 65_536


class IniReader:
    """One reading of one file; `shown` is its name in messages. What is wrong is noted, and the rest is read."""

    def __init__(self, gathered: Gathered, shown: str) -> None:
        self._gathered = gathered
        self._shown = shown
        self._group, self._kind = "ungrouped", "hosts"
        self._children: list[tuple[str, str, str]] = []
        self._sections = set(gathered.groups)
        self._wanted: dict[str, str] = {}

    def read(self, text: str) -> None:
        """Reads it; a group that only a :vars section or a :children list names is a problem, as in Ansible."""
        for number, line in enumerate(text.splitlines(), 1):
            stripped, where = line.strip(), f"{self._shown}:{number}"
            if stripped and stripped[0] not in "#;":
                self._line(stripped, where)
        wanted = [*self._wanted.items(), *((child, where) for _, child, where in self._children)]
        for group, where in wanted:
            if group not in self._sections:
                self._gathered.problem(where, f"there is no group {clean(group)}", f"add a section [{clean(group)}]")
        for parent, child, where in self._children:
            if child in self._sections:
                self._gathered.nest(parent, child, where)

    def _line(self, line: str, where: str) -> None:
        section = SECTION.fullmatch(line)
        if section is not None:
            self._section(section["group"], section["kind"] or "hosts", where)
        elif line.startswith("[") and (line.endswith("]") or "]" not in line.split(maxsplit=1)[0]):  # else: a range
            self._gathered.problem(
                where, f"{clean(line)} is no section", "write [group], [group:children], [group:vars]"
            )
        elif self._kind == "vars":
            self._variable(line, where)
        elif self._kind == "children":
            self._child(line, where)
        else:
            self._host(line, where)

    def _section(self, group: str, kind: str, where: str) -> None:
        if kind not in KINDS:
            what = f"[{group}:{kind}] is no kind of section"
            self._gathered.problem(where, what, f"there are [{group}], [{group}:children] and [{group}:vars]")
            kind = "vars"
        self._group, self._kind = group, kind
        if kind == "vars":
            self._wanted.setdefault(group, where)
        else:
            self._sections.add(group)
            self._gathered.group(group, where)

    def _child(self, line: str, where: str) -> None:
        match = CHILD.fullmatch(line)
        if match is None:
            self._gathered.problem(where, f"{clean(line)} is no name of a group", "one group a line, nothing behind it")
        else:
            self._children.append((self._group, match["group"], where))

    def _variable(self, line: str, where: str) -> None:
        name, sign, value = line.partition("=")
        if not sign:
            self._gathered.problem(where, f"{clean(line)} sets no variable", "write NAME=VALUE")
        else:
            group = self._gathered.group(self._group, where)
            self._gathered.assign(group, name.strip(), Given(literal(value.strip()), where))

    def _host(self, line: str, where: str) -> None:
        try:
            word, *settings = shlex.split(line, comments=True)
        except ValueError as error:
            quote = "a quote is opened and never closed" if "quotation" in str(error) else str(error)
            self._gathered.problem(where, quote, "quote the whole of it: 'NAME=a value'")
            return
        if word.endswith(":") or word == "---":
            what = "this looks like YAML" if word == "---" else f"{clean(word)} ends in a colon: this looks like YAML"
            self._gathered.problem(where, what, "give a file in YAML the name .yml or .yaml")
            return
        names = self._gathered.host(word, self._group, where)
        for name, value in self._settings(settings, where):
            for host in names:
                self._gathered.assign(self._gathered.hosts[host], name, Given(value, where))

    def _settings(self, words: list[str], where: str) -> Iterator[tuple[str, Any]]:
        for word in words:
            name, sign, value = word.partition("=")
            if not sign:
                hint = "write NAME=VALUE without blanks around the =, and quote a value with blanks: NAME='a value'"
                self._gathered.problem(where, f"{clean(word)} sets no variable", hint)
                continue
            yield name, literal(value)


def literal(text: str) -> Any:
    """The value that Ansible makes of a value in INI: a Python literal, or the text as it is."""
    if text.startswith(("$ANSIBLE_VAULT", "!vault")):
        return Encrypted()
    if len(text) > LONGEST_VALUE:
        return Unread()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # no literal: text
        return text
