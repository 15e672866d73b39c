"""Finds runbooks by name in the folders of the search path; the first one wins."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memrunbook.core.errors import DocumentError, Problem, UsageError
from memrunbook.documents.owned import LARGEST, is_there
from memrunbook.documents.shipped import shipped
from memrunbook.runtime.named_file import read_named

if TYPE_CHECKING:
    from memrunbook.core.action.policy import ServicePolicy
    from memrunbook.core.host import Host
    from memrunbook.core.runbook.bound import Runbook
    from memrunbook.documents.config import Config
    from memrunbook.documents.schedules import Schedules

HEAD = frozenset({"name", "title"})
# A title as most files have it: plain words on a line of their own. Anything else is read as YAML, which costs more to
# import than all the rest of `runbook list`.
PLAIN_TITLE = re.compile(rb"^title: ([A-Za-z][\w ,.()/-]*[\w.)])\r?$", re.MULTILINE)
SHIPPED = "shipped"
SETTINGS, SERVICES, SCHEDULES = "config.yaml", "services.yaml", "schedules.yaml"
ADMINISTRATORS = Path("/etc/memrunbook")
"""Whose config.yaml and services.yaml bind everybody here. No option and no variable names another folder."""
# How a saved plan begins: people hand it over where a runbook is wanted.
SAVED_PLAN = re.compile(rb'\s*\{\s*"format": *"memrunbook\.saved-plan/')


class LibraryEntry(NamedTuple):
    """A runbook of the search path. `shadowed` names the origin that wins; `problem` says why it cannot be read."""

    name: str
    title: str
    origin: str
    shadowed: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Library:
    """The runbooks of these folders, in order, and the shipped ones.

    `services` is the file of the service policy, `settings` that of everything else that an organisation asks for.
    `hosts` are what the inventory says of hosts now, by name, where that is known; `timetable` is schedules.yaml.
    Where no `settings` were there yet, they are looked for in `expected` each time: who schedules for weeks sees them.
    The files of these names in the folder `binding` count beside them, whoever names others: the stricter word counts.
    """

    folders: tuple[Path, ...] = ()
    services: Path | None = None
    settings: Path | None = None
    binding: Path | None = None
    timetable: Path | None = None
    hosts: Mapping[str, Host] = field(default_factory=dict)
    expected: tuple[Path, ...] = ()

    def entries(self) -> list[LibraryEntry]:
        """Every runbook by name, those of the earlier folders first."""
        return entries(self.folders)

    def runbook(self, name: str, parameters: Mapping[str, str] | None = None) -> Runbook:
        """One runbook by name or path, ready to run; DocumentError with every problem, UsageError for a wrong name."""
        from memrunbook.documents.runbooks import load_runbook

        content, shown, origin = read(name, self.folders)
        return load_runbook(content, shown, origin, parameters)

    def runbooks(self, parameters: Mapping[str, str] | None = None) -> tuple[list[Runbook], list[Problem]]:
        """Every runbook that wins, for a diagnosis, and why some cannot be used: one bad file disables none.

        `parameters` are given to each runbook that has one of that name; UsageError for a name that none has. The
        shipped ones were checked before they were shipped: of them only what is used is bound.
        """
        from memrunbook.documents.runbooks import load_one_of_many

        found: list[Runbook] = []
        problems: list[Problem] = []
        for entry in self.entries():
            try:
                if not entry.shadowed:
                    content, shown, origin = read(entry.name, self.folders)
                    trusted, given = origin == SHIPPED, parameters or {}
                    found.append(load_one_of_many(content, shown, origin, given, trusted=trusted))
            except DocumentError as error:
                problems += error.problems
        _refuse_unknown(parameters or {}, found)
        return found, problems

    def policy(self) -> ServicePolicy:
        """The service policy; an empty one where there is no file. DocumentError with every problem."""
        from memrunbook.core.action.policy import ServicePolicy, joined_policy

        binding = self.binds(SERVICES, self.services)
        if binding is None and (self.services is None or not is_there(self.services)):
            return ServicePolicy()
        from memrunbook.documents.services import load_policy

        own = ServicePolicy() if self.services is None else load_policy(self.services)
        return own if binding is None else joined_policy(load_policy(binding), own)

    def config(self) -> Config:
        """What config.yaml says; nothing is asked where there is none. DocumentError with every problem."""
        from memrunbook.documents.config import Config, load_config

        settings = self.own_settings
        own = Config() if settings is None else load_config(settings)
        binding = self.binds(SETTINGS, settings)
        if binding is None:
            return replace(own, hosts=self.hosts)
        from memrunbook.documents.joining import joined

        return replace(joined(load_config(binding), own, binding.parent), hosts=self.hosts)

    @property
    def own_settings(self) -> Path | None:
        """The config.yaml that counts now, beside the one that binds; None where there is none."""
        return self.settings or next((file for file in self.expected if is_there(file)), None)

    def schedules(self) -> Schedules:
        """What schedules.yaml says; none where there is no file. DocumentError where it cannot be read as a whole."""
        from memrunbook.documents.schedules import Schedules, load_schedules

        return Schedules() if self.timetable is None else load_schedules(self.timetable)

    def binds(self, name: str, own: Path | None) -> Path | None:
        """The file of this name that binds everybody beside one's own; None where there is none, or it is that one."""
        path = None if self.binding is None else self.binding / name
        return path if path is not None and path != own and is_there(path) else None

    def content(self, name: str) -> bytes:
        """The bytes of a runbook's file, by name or path; DocumentError or UsageError where there is none."""
        return read(name, self.folders)[0]

    def digest(self, name: str) -> str:
        """The SHA-256 of a runbook's file, by name or path; DocumentError or UsageError where there is none."""
        return hashlib.sha256(self.content(name)).hexdigest()


def _refuse_unknown(parameters: Mapping[str, str], runbooks: Sequence[Runbook]) -> None:
    known = {name for runbook in runbooks for name in runbook.parameters}
    for name in parameters:
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known))}"
            raise UsageError(f"no runbook has a parameter {name!r}", where=f"-p {name}", hint=hint)


def config_dirs(given: Path | None = None) -> list[Path]:
    """Where config files are looked for, in order."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "memrunbook"
    return [*([given] if given else []), base, ADMINISTRATORS]


def usual_library(runbooks: Sequence[Path] = (), config_dir: Path | None = None) -> Library:
    """The library of whoever runs this: named folders, $RUNBOOK_PATH, the config folders; never the current folder.

    The first services.yaml counts, and the first config.yaml, and beside them always those of the administrator.
    UsageError for a named folder that is not there: what it forbids would silently be allowed.
    """
    for option, folder in [("--config-dir", config_dir), *(("--runbooks", one) for one in runbooks)]:
        if folder is not None and not (is_there(folder) and folder.is_dir()):
            what = "this is no folder" if is_there(folder) else "there is no such folder"
            raise UsageError(what, where=f"{option} {folder}", hint="check the path")
    dirs = config_dirs(config_dir)
    named = [Path(part) for part in os.environ.get("RUNBOOK_PATH", "").split(os.pathsep) if part]
    services = [folder / SERVICES for folder in dirs]
    folders = (*runbooks, *named, *(folder / "runbooks" for folder in dirs))
    expected = tuple(folder / SETTINGS for folder in dirs)
    settings = next((file for file in expected if is_there(file)), None)
    own = next((file for file in services if is_there(file)), services[-1])
    timetable = next((folder / SCHEDULES for folder in dirs if is_there(folder / SCHEDULES)), None)
    return Library(folders, own, settings, ADMINISTRATORS, timetable, expected=expected)


def entries(folders: Sequence[Path]) -> list[LibraryEntry]:
    """Every runbook of the search path by name, those of the earlier folders first."""
    winners: dict[str, str] = {}
    found = []
    for origin, file in _files(folders):
        name = file.name.removesuffix(".yaml")
        found.append(_entry(name, origin, file, winners.get(name, "")))
        winners.setdefault(name, origin)
    return sorted(found, key=lambda entry: entry.name)


def is_path(name: str) -> bool:
    """True for what names a file, not a runbook of the search path."""
    return "/" in name or name.endswith(".yaml")


def read(name: str, folders: Sequence[Path]) -> tuple[bytes, str, str]:
    """A runbook's bytes, its file's name for messages, and its origin.

    `name` is a path where it has a "/" or ends in .yaml (the current folder is never searched: root does not run what
    lies about); else it is looked for in the folders and in the shipped ones.
    """
    if is_path(name):
        return _read_path(Path(name)), name, "file"
    for origin, file in _files(folders):
        if file.name == f"{name}.yaml":
            shown = f"{file.name} ({SHIPPED})" if origin == SHIPPED else str(file)
            return _read_path(file), shown, origin
    if name.endswith(".json"):
        return _read_path(Path(name)), name, "file"
    known = sorted({file.name.removesuffix(".yaml") for _, file in _files(folders)})
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    raise UsageError(f"no runbook is called {name!r}", hint=f"{hint} (a file is named by its path: ./{name}.yaml)")


def _read_path(path: Path) -> bytes:
    try:
        content = read_named(path, LARGEST)
    except OSError as error:
        hint = "check the path, or name a runbook without it: runbook list"
        raise DocumentError([Problem(str(path), f"the file cannot be read: {error.strerror}", hint)]) from None
    if SAVED_PLAN.match(content):
        raise UsageError("this is a saved plan", where=str(path), hint=f"runbook apply {shlex.quote(str(path))}")
    return content


def _files(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        if folder.is_dir():
            origin = str(folder) if "/" in str(folder) else f"./{folder}"  # no folder is called as the shipped ones are
            yield from ((origin, file) for file in sorted(folder.glob("*.yaml")))
    inside = sorted(shipped("runbooks").iterdir(), key=lambda file: file.name)
    yield from ((SHIPPED, file) for file in inside if file.suffix == ".yaml")


def _entry(name: str, origin: str, file: Path, shadowed: str) -> LibraryEntry:
    try:
        content = read_named(file, LARGEST)
    except OSError as error:
        return LibraryEntry(name, "", origin, shadowed, f"{file}: the file cannot be read: {error.strerror}")
    plain = PLAIN_TITLE.search(content)
    if plain is not None:
        return LibraryEntry(name, plain[1].decode("ascii", "replace"), origin, shadowed)
    from memrunbook.documents.yaml_source import load

    try:
        head = load(content, file.name, HEAD).data
    except DocumentError as error:
        first = error.problems[0]
        return LibraryEntry(name, "", origin, shadowed, f"{first.where}: {first.message}")
    return LibraryEntry(name, str(head.get("title", "")), origin, shadowed)
