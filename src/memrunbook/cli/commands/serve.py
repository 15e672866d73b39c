"""runbook serve: pages in a browser that show hosts, runs, plans that wait, schedules and the journal."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.defect import report_defect
from memrunbook.cli.options import CONFIG, STATE, STORE, common
from memrunbook.cli.streams import while_heard
from memrunbook.cli.targets import inventory_path
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.shown_pending import PlanCommands
    from memrunbook.documents.config import Config

PROGRAM = (sys.executable, "-P", "-c", "from memrunbook.cli.main import main; main()")
"""What is `runbook` here: this very installation, wherever its script lies."""


@click.command()
@click.option(
    "--bind",
    default="127.0.0.1:8642",
    metavar="ADDRESS:PORT",
    show_default=True,
    help="Where to listen; elsewhere than on this machine alone only with TLS, or behind a trusted proxy.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="A certificate (PEM), its chain too.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its key (PEM), without a password.")
@click.option(
    "--inventory",
    "-i",
    multiple=True,
    metavar="FILE",
    type=inventory_path,
    help="An inventory whose hosts are shown too; read once, at the start.",
)
@common(CONFIG, STATE, STORE)
def command(
    bind: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    inventory: tuple[str, ...],
    library: Library,
    state: Path,
    store: str,
) -> int:
    """Serve pages to a browser: what is known, and plans that wait, to approve, decline and apply by one's role.

    Nobody may more there than at the terminal: an approval is signed by a passkey, and what is applied is `apply`.

    A link that signs in once is printed at the start; SIGUSR1 prints another. SIGTERM or Ctrl-C ends it, and every
    session with it.
    """
    from memrunbook.state.paths import prepare
    from memrunbook.web.start import check_libraries, listening, serve_pages

    check_libraries()
    place, config = listening(bind, tls_cert, tls_key), _settings(library)
    prepare(state)
    from memrunbook.app.going_on import words_here
    from memrunbook.web.served import ServedState

    argv = list(click.get_current_context().find_root().obj or ())
    sources = inventory or config.defaults.inventory
    words = words_here(state, library, store)
    served = ServedState(
        library=library,
        state=state,
        store=store,
        inventory=_listed(sources, skip_encrypted=config.defaults.skip_vault_files),
        sources=sources,
        words=words,
        commands=_commands(words),
        severest=exit_codes.most_severe,
        defect=lambda error: report_defect(error, argv),
        say=_say,
        serving=config.serve,
        program=PROGRAM,
    )
    serve_pages(served, place)
    return exit_codes.OK


def _settings(library: Library) -> Config:
    """What config.yaml says; UsageError where alerts are taken of which it says nothing."""
    from memrunbook.app.alerting import refuse_unanswered
    from memrunbook.app.stored import settings_of

    config = settings_of(library)
    if config.serve.alerts_token_file is not None:
        refuse_unanswered(config, "serve: alerts_token_file:")
    return config


def _listed(sources: tuple[str, ...], *, skip_encrypted: bool) -> Inventory:
    from memrunbook.app.choosing import InventoryArguments, inventory

    return inventory(InventoryArguments(sources=sources, skip_encrypted=skip_encrypted)) if sources else Inventory()


def _say(words: str) -> None:
    while_heard(sys.stderr.write)(f"{words}\n")
    while_heard(sys.stderr.flush)()


def _commands(words: list[str]) -> PlanCommands:
    """What is typed for a plan at the terminal, complete: whoever reads it sits elsewhere."""
    from memrunbook.app.going_on import completed
    from memrunbook.app.shown_pending import PlanCommands

    def typed(*command: str) -> str:
        return completed(shlex.join(["runbook", *command]), words)

    return PlanCommands(
        approve=lambda one: typed("approve", str(one.path)),
        apply=lambda one: typed("apply", str(one.path)),
        decline=lambda one: typed("pending", "--decline", one.id),
        again=lambda one: typed("plan", one.runbook, "--host", one.host),
    )
