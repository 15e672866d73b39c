"""group_vars/ and host_vars/ beside an inventory: which files are read for a name, and what they say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from memrunbook.core.errors import DocumentError
from memrunbook.documents.inventory import nodes
from memrunbook.documents.inventory.gathered import Gathered, Variables
from memrunbook.runtime.named_file import read_named

Kind = Literal["group_vars", "host_vars"]
NEVER_READ = re.compile(r"^\.|~$|\.(md|txt|rst|j2|bak|orig|sample|example|dist|swp)$")
EXTENSIONS = ("", ".yml", ".yaml", ".json")


@dataclass
class Beside:
    """What stands beside the sources; `encrypted` are the files that ansible-vault has encrypted, by whom they are for.

    `shown` gives a path its name in messages.
    """

    gathered: Gathered
    folders: list[Path] = field(default_factory=list)
    encrypted: dict[tuple[Kind, str], list[str]] = field(default_factory=dict)
    _there: dict[Path, dict[str, bool]] = field(default_factory=dict)

    def variables(self, kind: Kind, name: str) -> Variables:
        """The variables of a group or a host, those of a later file instead of those of an earlier one."""
        found: Variables = {}
        for folder in self.folders:
            for file in self._files(folder / kind, name):
                found |= self._read(file, kind, name)
        return found

    def strangers(self) -> Iterator[tuple[Path, str]]:
        """The files that are for no group and no host of the inventory, each with the name that it is for."""
        for folder in self.folders:
            for kind, known in (("group_vars", self.gathered.groups), ("host_vars", self.gathered.hosts)):
                for name in self._names(folder / kind):
                    plain = name.removesuffix(Path(name).suffix) if Path(name).suffix in EXTENSIONS else name
                    if not (name in known or plain in known or NEVER_READ.search(name)):
                        yield folder / kind / name, plain

    def _names(self, folder: Path) -> dict[str, bool]:
        """What stands in a folder, and whether it is a folder itself; it is listed once."""
        if folder not in self._there:
            try:
                with os.scandir(folder) as entries:
                    self._there[folder] = {
                        entry.name: entry.is_dir() for entry in sorted(entries, key=lambda one: one.name)
                    }
            except (FileNotFoundError, NotADirectoryError):
                self._there[folder] = {}
            except OSError as error:
                self.gathered.problem(
                    shown(folder), f"the folder cannot be read: {error.strerror}", "ask for the right to read it"
                )
                self._there[folder] = {}
        return self._there[folder]

    def _files(self, folder: Path, name: str) -> Iterator[Path]:
        """NAME, NAME.yml, NAME.yaml or NAME.json, whichever comes first; of a folder NAME all that stands in it."""
        there = self._names(folder)
        for extension in EXTENSIONS:
            if f"{name}{extension}" in there:
                if there[f"{name}{extension}"]:
                    yield from self._inside(folder / f"{name}{extension}")
                else:
                    yield folder / f"{name}{extension}"
                return

    def _inside(self, folder: Path) -> Iterator[Path]:
        for name, is_folder in self._names(folder).items():
            extension = Path(name).suffix
            if name.startswith(".") or name.endswith("~"):
                continue
            if is_folder and not extension:
                yield from self._inside(folder / name)
            elif not is_folder and extension in EXTENSIONS:
                yield folder / name

    def _read(self, file: Path, kind: Kind, name: str) -> Variables:
        try:
            content = read_named(file, nodes.MOST_BYTES)
        except OSError as error:
            self.gathered.problem(
                shown(file), f"the file cannot be read: {error.strerror}", "ask for the right to read it"
            )
            return {}
        if content.startswith(nodes.VAULT_FILE.encode()):
            self.encrypted.setdefault((kind, name), []).append(shown(file))
            return {}
        try:
            root = nodes.compose(nodes.decoded(content, shown(file)), shown(file))
        except DocumentError as error:
            self.gathered.problems += error.problems
            return {}
        if root is None or nodes.is_empty(root):
            return {}
        if not nodes.is_mapping(root):
            self.gathered.problem(
                nodes.where(shown(file), root), "this is no mapping of variables", "as in ansible_user: ops"
            )
            return {}
        for key, first, again in nodes.doubles(root):
            self.gathered.doubled(key, nodes.where(shown(file), first), nodes.where(shown(file), again))
        return nodes.variables(root, shown(file))


def shown(path: Path) -> str:
    """A path as it is shown: from the current folder where it is below that."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
