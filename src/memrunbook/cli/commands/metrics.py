"""runbook metrics: figures about runs, plans that wait and messages, for Prometheus."""

from __future__ import annotations

from pathlib import Path

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.options import CONFIG, STATE, STORE, common
from memrunbook.cli.streams import tell
from memrunbook.documents.library import Library


@click.command()
@click.option(
    "--textfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write them there, whole or not at all: FILE.prom in the folder of node_exporter's textfile collector.",
)
@common(CONFIG, STATE, STORE)
def command(library: Library, state: Path, store: str, textfile: Path | None) -> int:
    """Write what the state directory and the store hold in the text format of Prometheus: no host is asked."""
    from memrunbook.app.exposing import expose

    text = expose(state, library, store)
    if textfile is None:
        return tell(exit_codes.OK, lambda: click.echo(text, nl=False))
    from memrunbook.state.textfile import write_textfile

    write_textfile(textfile, text)
    return exit_codes.OK
