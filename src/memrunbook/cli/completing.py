"""What a shell offers behind Tab: hosts and groups of the inventory, runbooks. Nothing is said, and no program run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

LOCAL = "local"


def complete_hosts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Hosts and groups of the inventory that is typed, in $RUNBOOK_INVENTORY or in config.yaml.

    A program is not asked: Tab runs nothing. What stands before a comma, & or ! is kept.
    """
    del param
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


def _names(ctx: click.Context) -> Iterator[str]:
    from memrunbook.core.errors import RunbookError, UsageError
    from memrunbook.documents.inventory.reading import read_inventory

    def run_nothing(words: Any, folder: Path) -> str:
        raise UsageError(f"{words[0]} is not run in {folder} for a completion")

    yield LOCAL
    try:
        sources = tuple(ctx.params.get("inventory") or ()) or _usual(ctx)
        found = read_inventory(sources, run_nothing, skip_encrypted=True) if sources else None
    except (RunbookError, OSError):
        return
    if found is not None:
        yield from found.groups
        yield from found.hosts


def _usual(ctx: click.Context) -> tuple[str, ...]:
    from memrunbook.cli.targets import VARIABLE, inventory_path
    from memrunbook.documents.library import usual_library

    told = tuple(inventory_path(one) for one in os.environ.get(VARIABLE, "").split(",") if one)
    return told or usual_library((), ctx.params.get("config_dir")).config().defaults.inventory
