"""What a shell offers behind Tab: hosts and groups of the inventory, runbooks, runs. Nothing is said or run."""

from __future__ import annotations

import glob
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LOCAL = "local"


def complete_hosts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Hosts and groups of the inventory that is typed, in $RUNBOOK_INVENTORY or in config.yaml.

    A program is not asked: Tab runs nothing. What stands before a comma, : & or ! is kept; behind @ stands a file.
    """
    del param
    if incomplete.startswith("@"):
        return [f"@{path}" for path in _paths(incomplete[1:])]
    cut = max(incomplete.rfind(sign) for sign in ",&!:") + 1
    before, word = incomplete[:cut], incomplete[cut:]
    return [f"{before}{name}" for name in _names(ctx) if name.startswith(word)]


def complete_runbooks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the runbooks that can be run."""
    del param
    from memrunbook.core.errors import RunbookError
    from memrunbook.documents.library import usual_library

    given = ctx.params.get("runbooks") or ()
    try:
        entries = usual_library(tuple(map(Path, given)), ctx.params.get("config_dir")).entries()
    except (RunbookError, OSError):
        return []
    return [entry.name for entry in entries if not entry.shadowed and entry.name.startswith(incomplete)]


def complete_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The ids of the runs of the state directory, the newest first, and `last`."""
    del param
    from memrunbook.state.paths import usual_state_dir
    from memrunbook.state.run_directory import RUN_ID

    folder = (ctx.params.get("state_dir") or usual_state_dir()) / "runs"
    try:
        found = sorted((path.name for path in folder.iterdir() if RUN_ID.fullmatch(path.name)), reverse=True)
    except OSError:
        found = []
    return [name for name in ("last", *found) if name.startswith(incomplete)]


def complete_formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The formats that there are."""
    del ctx, param
    from memrunbook.cli import formats

    names = (info.name.removesuffix("_") for info in pkgutil.iter_modules(formats.__path__))
    return [name for name in names if name.startswith(incomplete)]


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Paths, as the shell itself completes them."""
    from click.shell_completion import CompletionItem

    del ctx, param
    return [CompletionItem(incomplete, type="file")]


def _paths(begin: str) -> Iterator[str]:
    """The files and folders that begin so, folders with a slash."""
    for path in sorted(glob.glob(f"{glob.escape(begin)}*")):  # noqa: PTH207  what was typed is kept as it is
        yield f"{path}/" if Path(path).is_dir() else path


def _names(ctx: click.Context) -> Iterator[str]:
    from memrunbook.core.errors import RunbookError
    from memrunbook.documents.inventory.reading import names_in_inventory

    yield LOCAL
    try:
        yield from names_in_inventory(tuple(ctx.params.get("inventory") or ()) or _usual(ctx))
    except (RunbookError, OSError):
        return


def _usual(ctx: click.Context) -> tuple[str, ...]:
    from memrunbook.cli.targets import VARIABLE, inventory_path
    from memrunbook.documents.library import usual_library

    told = tuple(inventory_path(one) for one in os.environ.get(VARIABLE, "").split(",") if one)
    return told or usual_library((), ctx.params.get("config_dir")).config().defaults.inventory
