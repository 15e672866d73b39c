"""A folder with an inventory, written in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.inventory.reading import read_inventory
from memrunbook.transports.shared.program import answer_of


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes the files; those that begin with #! may be executed."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    return folder


def inventory(
    folder: Path,
    source: str = "hosts",
    *,
    skip_encrypted: bool = False,
    ruling: frozenset[str] = frozenset(),
    **files: str,
) -> Inventory:
    """The inventory in a source of the folder; keywords are files, __ for a slash and _yml for .yml."""
    write(folder, _named(files))
    return read_inventory([str(folder / source)], answer_of, skip_encrypted=skip_encrypted, ruling=ruling)


def problems(folder: Path, source: str = "hosts", **files: str) -> list[Problem]:
    """What is wrong with the inventory; their places are from the folder on."""
    write(folder, _named(files))
    try:
        inventory(folder, source)
    except DocumentError as error:
        return [one._replace(where=one.where.removeprefix(f"{folder}/")) for one in error.problems]
    return []


def _named(files: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("__", "/").replace("_yml", ".yml"): text for name, text in files.items()}
