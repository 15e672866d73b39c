"""The files that config.yaml names, beside it or by their whole path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import Problem
from memrunbook.documents.source import Source


@dataclass(frozen=True)
class FilesNamed:
    """The files that config.yaml names; one that is not there is a mistake, not an empty file."""

    source: Source
    folder: Path
    problems: list[Problem]

    def one(self, name: str) -> tuple[Path, ...]:
        """The file that a key of the document names; none where it is left out."""
        given = self.source.data.get(name)
        return () if given is None else (self._file((name,), given),)

    def some(self, name: str, given: str | tuple[str, ...] | None) -> tuple[Path, ...]:
        """The file, or the files, that a key of `defaults` names."""
        return self.some_in("defaults", name, given)

    def some_in(self, part: str, name: str, given: str | tuple[str, ...] | None) -> tuple[Path, ...]:
        """The same of a key of another part of the document."""
        if given is None or isinstance(given, str):
            return () if given is None else (self._file((part, name), given),)
        return tuple(self._file((part, name, number), one) for number, one in enumerate(given))

    def one_at(self, at: tuple[str, ...], given: str | None) -> Path | None:
        """The file that a key deeper in the document names."""
        return None if given is None else self._file(at, given)

    def source_path(self, given: str) -> str:
        """An inventory with its path made absolute: it may be a file, a folder, a program, or what Ansible reads."""
        kind, sign, path = given.rpartition(":")
        return f"{kind}{sign}{self.folder.absolute() / Path(path).expanduser()}"

    def _file(self, at: tuple[str | int, ...], given: str) -> Path:
        path = self.folder / Path(given).expanduser()
        try:
            what = "" if path.is_file() else f"{path} is no file" if path.exists() else f"there is no file {path}"
        except OSError as error:
            what = f"{path} cannot be looked at: {error.strerror}"
        if what:
            self.problems.append(Problem(self.source.where(at), what, "write its path, or make it"))
        return path
