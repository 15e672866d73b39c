"""runbook audit: is the journal intact, and who did what, when, why and with whose consent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.completing import complete_runs
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.options import CONFIG, HOSTS_IF_NAMED, OUTPUT, STATE, STORE, OptionGroup, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show as show_answer
from memrunbook.cli.subcommands import Subcommands
from memrunbook.cli.targets import Targets
from memrunbook.cli.wanted import FORMS, FORMS_HELP, WANTED, Wanted
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.accounting import AccountArguments, AccountsResult
    from memrunbook.documents.printed.audit_show import AuditShowDocument
    from memrunbook.ui.block import Block


@dataclass(frozen=True)
class Vouching:
    """Who says whose keys signed the approvals."""

    allowed_signers: tuple[Path, ...]
    revoked_keys: tuple[Path, ...]


VOUCHING = OptionGroup(
    "vouching",
    Vouching,
    {
        "allowed_signers": click.option(
            "--allowed-signers",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="FILE",
            help="Whose keys may have signed approvals (ssh-keygen, ALLOWED SIGNERS); of several, each must agree.",
        ),
        "revoked_keys": click.option(
            "--revoked-keys",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="FILE",
            help="Public keys that are revoked by now, one a line: it is said where one of them signed.",
        ),
    },
)


@click.group(cls=Subcommands)
def command() -> None:
    """Verify the journal, show who did what, or export the records."""


@command.command()
@click.option("--expect", default="", metavar="HEAD", help="A head of the ledger that was kept elsewhere.")
@click.option(
    "--expect-file",
    type=click.Path(path_type=Path),
    help="A file elsewhere that keeps the last head: it must still be in the ledger; the new one is written there.",
)
@common(VOUCHING, HOSTS_IF_NAMED, CONFIG, STATE, STORE, HOST_OUTPUT)
def verify(
    expect: str,
    expect_file: Path | None,
    vouching: Vouching,
    targets: Targets,
    library: Library,
    state: Path,
    store: str,
    output: OutputOptions,
) -> int:
    """Check every journal and the ledger: changed, removed, inserted or reordered records, removed runs.

    The signatures of approvals too, over the plans that were carried out.
    With --host also against the lines that changes left in the host's own log, with a store that is a server against
    what it saw of the ledger.
    """
    from memrunbook.app import AuditArguments, audit
    from memrunbook.app.shown_audit import audit_document, audit_pages
    from memrunbook.cli.conversation import Conversation

    talk = Conversation(output, targets)
    hosts = talk.hosts if targets.names_hosts else ()
    connectors = talk.connectors() if hosts else None
    arguments = AuditArguments(
        state=state,
        expect=expect,
        expect_file=expect_file,
        hosts=hosts,
        connectors=connectors,
        allowed_signers=vouching.allowed_signers,
        revoked_keys=vouching.revoked_keys,
        library=library,
        store=store,
    )
    result = audit(arguments)
    codes = [exit_codes.of_error(error) for _, error in result.unreached]
    code = exit_codes.worst([exit_codes.OK if result.intact else exit_codes.JOURNAL, *codes])
    return show_answer(output, Reply(code, lambda: audit_document(result), lambda: audit_pages(result, state)))


def _arguments(run: str, state: Path, wanted: Wanted) -> AccountArguments:
    from memrunbook.app import AccountArguments

    return AccountArguments(
        state=state,
        run=run,
        host=wanted.host,
        actor=wanted.actor,
        runbook=wanted.runbook,
        since=wanted.since,
        until=wanted.until,
        outcome=wanted.outcome,
    )


@command.command()
@click.argument("run", metavar="[RUN]", default="", shell_complete=complete_runs)
@common(WANTED, STATE, OUTPUT)
def show(run: str, wanted: Wanted, state: Path, output: OutputOptions) -> int:
    """Show who did what, when, why and with whose consent; RUN is an id, or: last; without it every run."""
    from memrunbook.app import accounts

    result = accounts(_arguments(run, state, wanted))
    code = exit_codes.JOURNAL if result.doubts else exit_codes.OK
    return show_answer(output, Reply(code, lambda: _shown(result), lambda: _account_pages(result)))


def _shown(result: AccountsResult) -> AuditShowDocument:
    from memrunbook.documents.printed.audit import finding_of
    from memrunbook.documents.printed.audit_show import AuditShowDocument

    findings = tuple(finding_of(one.level, one.where, one.message) for one in result.doubts)
    return AuditShowDocument(intact=not findings, findings=findings, runs=result.accounts)


def _account_pages(result: AccountsResult) -> Iterator[list[Block]]:
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.who import accounts_view

    yield [*doubt_view(result.doubts), *accounts_view(result.accounts, SystemClock().now())]


@command.command()
@click.argument("run", metavar="[RUN]", default="", shell_complete=complete_runs)
@click.option("--format", "form", type=click.Choice(FORMS), default=FORMS[0], show_default=True, help=FORMS_HELP)
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="A new file; default: stdout.")
@common(WANTED, STATE)
def export(run: str, form: str, file: Path | None, wanted: Wanted, state: Path) -> int:
    """Write the records of RUN (an id, or: last), or of every run, the oldest first."""
    from memrunbook.cli.exporting import export_records

    return export_records(_arguments(run, state, wanted), form, file)
