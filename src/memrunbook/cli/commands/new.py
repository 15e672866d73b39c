"""runbook new: a commented template to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default: NAME.yaml.")
def command(name: str, out: Path | None) -> int:
    """Write a commented runbook to start from."""
    from memrunbook.app import new_runbook

    path = out or Path(f"{name}.yaml")
    new_runbook(name, path)
    named = path if path.is_absolute() else f"./{path}"
    click.echo(f"{path} is written. Next: runbook validate {named}")
    return 0
