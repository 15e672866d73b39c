"""runbook new: a commented template to start from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from memrunbook.core.errors import UsageError

TEMPLATE = """\
apiVersion: memrunbook/v1
name: {name}
title: {title}
description: >
  What is wrong when this applies, in words that a person woken at night understands.
parameters:                      # runbook run ./{name}.yaml -p available_low=5
  available_low: {{type: number, default: 10.0, description: "Available memory in % of RAM below which it is low"}}
sample: {{count: 3, every: 5s}}    # three readings, 5 s apart; rates need at least two
signals: [memory.available_percent, pressure.full.percent]   # reported before and after

checks:                          # runbook facts --host local lists every metric that may be used
  - id: low
    name: Available memory is low
    when: memory.available_percent < parameters.available_low
    severity: critical           # info | warning | critical
    explain: What it means and what it does not mean.
incident: checks.low             # does this runbook apply?
resolved:                        # when to stop
  that: memory.available_percent > 15.0
  hold: 60s

steps:                           # ordered: the cheapest that can help comes first
  - id: evidence
    name: Save the evidence
    action: capture_evidence
  - id: less-swapping
    name: Lower the tendency to swap
    action: set_sysctl
    with: {{key: vm.swappiness, value: 10, for: 2h}}   # the host itself takes it back after two hours
    when: sysctl.vm.swappiness > 10
"""


@click.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default: NAME.yaml.")
def command(name: str, out: Path | None, **_: Any) -> int:
    """Write a commented runbook to start from."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UsageError(
            f"{name!r} is no name for a runbook", hint="lower-case letters, digits and -, as in my-service"
        )
    path = out or Path(f"{name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=name, title=name.replace("-", " ").capitalize()))
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}", where=str(path), hint="name another one with --out"
        ) from None
    click.echo(
        f"{path} is written. Next: runbook validate ./{path}" if not path.is_absolute() else f"{path} is written."
    )
    return 0
