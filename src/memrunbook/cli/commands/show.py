"""runbook show: one runbook explained."""

from __future__ import annotations

from typing import Any

import click

from memrunbook.cli.options import LIBRARY, OUTPUT, PARAMETERS, Settings, common
from memrunbook.cli.output import emit
from memrunbook.cli.wiring import Wiring


@click.command()
@click.argument("name")
@common(PARAMETERS, LIBRARY, OUTPUT)
def command(settings: Settings, name: str, **_: Any) -> int:
    """Explain a runbook: what it recognises, what it would do, and at which risk."""
    runbook = Wiring(settings).runbook(name)
    if settings.json:
        document = {"origin": runbook.origin, "digest": runbook.digest, "runbook": runbook.spec}
        return emit("runbook", document)
    from memrunbook.ui.runbooks import show_view
    from memrunbook.ui.screen import Screen

    Screen(settings.color).show(show_view(runbook))
    return 0
