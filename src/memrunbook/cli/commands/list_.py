"""runbook list: the runbooks that can be run."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli.options import LIBRARY, OUTPUT, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.streams import tell


@click.command("list")
@common(LIBRARY, OUTPUT)
def command(settings: Settings, **_: Any) -> int:
    """List the runbooks, where they come from and which one wins."""
    from memrunbook.documents.library import entries

    found = entries(settings.runbook_dirs)
    if settings.json:
        return emit("list", {"runbooks": [entry._asdict() for entry in found]})
    from memrunbook.ui.listing import Listed, list_view
    from memrunbook.ui.screen import Screen

    listed = [Listed(entry.name, entry.title, entry.origin, entry.shadowed, entry.problem) for entry in found]
    return tell(0, lambda: Screen("never").show(list_view(listed)))
