"""runbook list: the runbooks that can be run."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli.options import LIBRARY, OUTPUT, Settings, common
from memrunbook.cli.output import emit


@click.command("list")
@common(LIBRARY, OUTPUT)
def command(settings: Settings, **_: Any) -> int:
    """List the runbooks, where they come from and which one wins."""
    from memrunbook.documents.library import entries

    found = entries(settings.runbook_dirs)
    if settings.json:
        return emit("list", {"runbooks": found})
    for entry in found:
        note = f"  (shadowed by {entry.shadowed})" if entry.shadowed else ""
        click.echo(f"{entry.name:<24} {entry.title or entry.problem}{note}")
        if settings.verbose:
            click.echo(f"{'':<24} {entry.origin}")
    return 0
