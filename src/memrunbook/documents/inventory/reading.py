"""Reads inventories: files, folders, programs, lists of names; several of them are one inventory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.core.inventory.inventory import UNGROUPED, Inventory
from memrunbook.core.ranges import RANGE
from memrunbook.core.text import clean
from memrunbook.documents.inventory import nodes
from memrunbook.documents.inventory.answers import is_answer, read_answer
from memrunbook.documents.inventory.beside import Beside, shown
from memrunbook.documents.inventory.connection import Accepts, nothing_refused
from memrunbook.documents.inventory.gathered import Gathered, NamedHost
from memrunbook.documents.inventory.ini import IniReader
from memrunbook.documents.inventory.making import Maker
from memrunbook.documents.inventory.merged import Merger
from memrunbook.documents.inventory.yaml_groups import BY_ANSIBLE, YamlReader, looks_like_groups
from memrunbook.documents.owned import check_owned
from memrunbook.runtime.named_file import read_named

ANSIBLE = "ansible:"
AS_YAML = frozenset({".yml", ".yaml", ".json"})
PASSED_OVER = re.compile(
    r"^\.|^(host_vars|group_vars|vars_plugins)$|(~|\.(pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry))$"
)
PROGRAM = (b"#!", b"\x7fELF")
DEEPEST = 8
Runs = Callable[[Sequence[str], Path], str]
"""Runs a program in a folder, and returns what it wrote; UsageError where it failed."""


def read_inventory(
    sources: Sequence[str],
    run: Runs,
    *,
    skip_encrypted: bool = False,
    accepts: Accepts = nothing_refused,
    ruling: frozenset[str] = frozenset(),
) -> Inventory:
    """The inventory in all sources; DocumentError with everything that is wrong in them.

    A source is the path of a file, a folder or a program that answers to --list, `ansible:PATH` for what
    ansible-inventory reads, or names between commas. Of two sources the later one counts. A host with words for ssh
    that `accepts` refuses (UsageError) is refused. `ruling` are the tags that config.yaml asks for.
    """
    reader = SourceReader(run)
    gathered = reader.gathered
    for source in sources:
        before = len(gathered.hosts)
        reader.read(source)
        if len(gathered.hosts) == before == 0 and not gathered.problems:
            gathered.note(shown(Path(source)), "this names no host")
    for names in (gathered.groups, gathered.hosts):
        _note_alike(gathered, names)
    beside = Beside(gathered, list(dict.fromkeys(reader.folders)))
    found = Maker(Merger(gathered, beside), skip_encrypted, accepts, ruling).inventory()
    for file, name in beside.strangers():
        gathered.note(shown(file), f"this is for {name}, and the inventory has neither host nor group of that name")
    for name in dict.fromkeys(name for names in beside.encrypted.values() for name in names if skip_encrypted):
        gathered.note(name, "this is encrypted by ansible-vault, and was passed over")
    if gathered.problems:
        raise DocumentError(sorted(dict.fromkeys(gathered.problems), key=_place))
    return structs.replace(found, notes=tuple(sorted(dict.fromkeys(gathered.notes), key=_place)))


def _note_alike(gathered: Gathered, named: Mapping[str, NamedHost]) -> None:
    """Notes names that differ in capital letters alone."""
    first: dict[str, str] = {}
    for name, one in named.items():
        other = first.setdefault(name.casefold(), name)
        if other != name:
            gathered.note(one.where, f"{clean(name)} and {clean(other)} are not the same", "did you mean one of them?")


def names_in_inventory(sources: Sequence[str]) -> list[str]:
    """The groups and hosts that the files of these sources name, whatever else is wrong there; no program is run."""

    def run_nothing(words: Sequence[str], folder: Path) -> str:
        raise UsageError(f"{words[0]} is not run in {folder} for its names alone")

    reader = SourceReader(run_nothing)
    for source in sources:
        reader.read(source)
    return [*reader.gathered.groups, *reader.gathered.hosts]


def _place(problem: tuple[str, ...]) -> tuple[str, int]:
    match = re.match(r"(.*?):(\d+)", problem[0])
    return (match[1], int(match[2])) if match else (problem[0], 0)


def _as_yaml(text: str, name: str) -> nodes.Node | None:
    """The document in a text that may be YAML; None where it is none: INI."""
    try:
        return nodes.compose(text, name)
    except DocumentError:
        return None


def _is_settings(name: str, beside: Sequence[str]) -> bool:
    """True for the settings of a program that stands beside them, as ec2.ini of ec2.py."""
    plain = name.removesuffix(".ini")
    return plain != name and (f"{plain}.py" in beside or f"{plain}.sh" in beside)


@dataclass
class SourceReader:
    """Reads one source after the other; `folders` are those beside which group_vars and host_vars stand."""

    run: Runs
    gathered: Gathered = field(default_factory=Gathered)
    folders: list[Path] = field(default_factory=list)

    def read(self, source: str) -> None:
        """Reads a source; what is wrong is noted."""
        if source.startswith(ANSIBLE):
            self._by_ansible(Path(source.removeprefix(ANSIBLE)))
            return
        path = Path(source)
        if "," in source and not path.exists():
            for word in filter(None, (part.strip() for part in source.split(","))):
                self.gathered.host(word, UNGROUPED, "-i")
            return
        self.folders.append(path if path.is_dir() else path.parent)
        self._path(path, 0)

    def _path(self, path: Path, depth: int) -> None:
        self.gathered.file, self.gathered.folder = str(path), str(path.parent)
        try:
            if path.is_dir():
                names = sorted(os.listdir(path))  # noqa: PTH208  names alone are wanted
                for name in names if depth < DEEPEST else ():
                    if not PASSED_OVER.search(name) and not _is_settings(name, names):
                        self._path(path / name, depth + 1)
            else:
                self._file(path)
        except DocumentError as error:
            self.gathered.problems += error.problems
        except OSError as error:
            what = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
            is_range = isinstance(error, FileNotFoundError) and RANGE.search(path.name)
            hint = f"names, not a file, end with a comma: -i '{path.name},'" if is_range else "check the path"
            self.gathered.problem(shown(path), f"the inventory cannot be read: {what}", hint)

    def _file(self, path: Path) -> None:
        content, name = read_named(path, nodes.MOST_BYTES), shown(path)
        if content.startswith(nodes.VAULT_FILE.encode()):
            hint = BY_ANSIBLE.format(shown=name)
            self.gathered.problem(name, "the inventory is encrypted by ansible-vault", hint)
        elif content.startswith(PROGRAM):
            self._program(path, name)
        elif path.suffix == ".toml":
            self.gathered.problem(name, "an inventory in TOML is not read here", BY_ANSIBLE.format(shown=name))
        else:
            check_owned(path)
            self._text(nodes.decoded(content, name), path, name)

    def _text(self, text: str, path: Path, name: str) -> None:
        if text.lstrip().startswith("{") and is_answer(text):
            read_answer(self.gathered, text, name, lambda _: "{}")
        elif path.suffix in AS_YAML:
            YamlReader(self.gathered, name).read(nodes.compose(text, name))
        elif not path.suffix and looks_like_groups(root := _as_yaml(text, name)):
            YamlReader(self.gathered, name).read(root)
        else:
            IniReader(self.gathered, name).read(text)

    def _program(self, path: Path, name: str) -> None:
        if not os.access(path, os.X_OK):
            self.gathered.problem(name, "this is a program, and may not be executed", f"chmod +x {name}")
            return
        check_owned(path, runs=True)
        program, folder = str(path.absolute()), Path.cwd()
        answer = self._ran([program, "--list"], folder, name)
        if answer is not None:
            read_answer(self.gathered, answer, name, lambda host: self._of_host(program, host, folder, name))

    def _of_host(self, program: str, host: str, folder: Path, name: str) -> str:
        return self._ran([program, "--host", host], folder, f"{name} --host {host}") or "{}"

    def _by_ansible(self, path: Path) -> None:
        self.gathered.file, self.gathered.folder = str(path), str(path.parent)
        name = f"{ANSIBLE}{shown(path)}"
        answer = self._ran(["ansible-inventory", "-i", str(path), "--list"], Path.cwd(), name)
        if answer is not None:
            try:
                read_answer(self.gathered, answer, name, lambda _: "{}")
            except DocumentError as error:
                self.gathered.problems += error.problems

    def _ran(self, words: Sequence[str], folder: Path, name: str) -> str | None:
        try:
            return self.run(words, folder)
        except UsageError as error:
            self.gathered.problem(name, error.message, error.hint)
            return None
