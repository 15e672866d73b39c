"""What a shell offers behind Tab: hosts, groups, runbooks, runs, schedules, receivers, plans. It runs nothing."""

from __future__ import annotations

import glob
import os
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.core.errors import RunbookError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from memrunbook.documents.library import Library

LOCAL = "local"
HEAD = 200
"""Bytes in which a saved plan says that it is one."""


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


def complete_schedules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the schedules of schedules.yaml, of broken ones too: their firings are listed."""
    del param
    with suppress(RunbookError, OSError):
        found = _usual_library(ctx).schedules()
        names = [*(job.name for job in found.jobs), *found.broken]
        return [name for name in names if name.startswith(incomplete) and " " not in name]
    return []


def complete_receivers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the receivers of config.yaml."""
    del param
    with suppress(RunbookError, OSError):
        return [one.name for one in _usual_library(ctx).config().notify if one.name.startswith(incomplete)]
    return []


def complete_runbooks_or_files(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[str] | list[CompletionItem]:
    """Names of runbooks; where none begins so, whatever the shell itself offers."""
    return complete_runbooks(ctx, param, incomplete) or complete_files(ctx, param, incomplete)


def complete_plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Saved plans: those that wait in the state directory, and the files and folders that begin as was typed.

    Where there is none, whatever the shell itself offers.
    """
    from click.shell_completion import CompletionItem

    waiting = [path for path in map(str, _waiting(ctx)) if path.startswith(incomplete)]
    here = [path for path in _paths(incomplete) if path.endswith("/") or _is_plan(Path(path))]
    found = [CompletionItem(path) for path in dict.fromkeys((*waiting, *here))]
    return found or complete_files(ctx, param, incomplete)


def _waiting(ctx: click.Context) -> list[Path]:
    from memrunbook.state.paths import usual_state_dir
    from memrunbook.state.waiting import kept

    with suppress(RunbookError, OSError):
        return kept(ctx.params.get("state_dir") or usual_state_dir())
    return []


def _is_plan(path: Path) -> bool:
    from memrunbook.documents.library import SAVED_PLAN

    with suppress(OSError):
        return path.is_file() and SAVED_PLAN.match(path.open("rb").read(HEAD)) is not None
    return False


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
    from memrunbook.documents.inventory.reading import names_in_inventory

    yield LOCAL
    try:
        yield from names_in_inventory(tuple(ctx.params.get("inventory") or ()) or _usual(ctx))
    except (RunbookError, OSError):
        return


def _usual(ctx: click.Context) -> tuple[str, ...]:
    from memrunbook.cli.targets import VARIABLE, inventory_path

    told = tuple(inventory_path(one) for one in os.environ.get(VARIABLE, "").split(",") if one)
    return told or _usual_library(ctx).config().defaults.inventory


def _usual_library(ctx: click.Context) -> Library:
    from memrunbook.documents.library import usual_library

    return usual_library((), ctx.params.get("config_dir"))
