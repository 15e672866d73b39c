"""runbook import-history: what sysstat or Prometheus recorded of hosts, taken over into the history."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.options import HOSTS, LIBRARY, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.importing import Imported
    from memrunbook.documents.printed.imported import ImportedDocument
    from memrunbook.transports.shared.prometheus import PrometheusServer
    from memrunbook.ui.block import Block

RecordedBy = Literal["sar", "prometheus"]
VARIABLE = "RUNBOOK_PROMETHEUS_TOKEN"
LONGEST = 16 << 10


@click.command()
@click.argument("source", type=click.Choice(["sar", "prometheus"]))
@click.argument("url", required=False, default="")
@click.option("--match", default="", metavar="MATCHERS", help="Of the host, as 'instance=\"web1:9100\"'; for one host.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help=f"Has the token for Prometheus; else ${VARIABLE}.",
)
@common(HOSTS, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(
    source: RecordedBy,
    url: str,
    match: str,
    token_file: Path | None,
    targets: Targets,
    library: Library,
    state: Path,
    store: str,
    output: OutputOptions,
) -> int:
    """Take over what was recorded of hosts before, so that slow leaks are told from the first day on.

    sar: the days that sysstat kept on each host, read with its own sadf; nothing is changed there. prometheus URL: the
    last 31 days of node_exporter's series. What is known already stays as it is. Exit 9 where nothing was recorded.
    """
    from memrunbook.app import ImportArguments, Stored, import_prometheus, import_sar
    from memrunbook.app.remembering import StoredRecall
    from memrunbook.runtime.clock import SystemClock

    _refuse_odd(source, url, match, token_file)
    talk = Conversation(output, targets)
    if match and len(talk.hosts) > 1:
        raise UsageError("the matchers fit one host", where="--match", hint="import each host by itself")
    stored = Stored(state, library.config(), store)
    if stored.config.history is None:
        raise UsageError("config.yaml says that no history is kept", where="history", hint="say for how long: history:")
    with closing(StoredRecall(lambda: stored)) as past:
        hosts = talk.hosts
        told = partial(_count, talk, len(hosts))
        arguments = ImportArguments(hosts=hosts, past=past, connectors=talk.connectors(), told=told)
        told(0)
        if source == "sar":
            found = import_sar(arguments)
        else:
            found = import_prometheus(arguments, _server(url, token_file), SystemClock().now().utc, match)
        talk.meanwhile.read()
    code = exit_codes.worst(_code(one) for one in found)
    return show(output, Reply(code, lambda: _document(source, found), lambda: _pages(found)))


def _count(talk: Conversation, hosts: int, done: int) -> None:
    """Says on a terminal how far it has come with many hosts."""
    if hosts > 1:
        talk.meanwhile.say(f"taken over: {done} of {hosts} hosts")


def _code(one: Imported) -> int:
    if one.error:
        return exit_codes.of_error(one.error)
    return exit_codes.OK if one.points else exit_codes.NOT_JUDGED


def _refuse_odd(source: RecordedBy, url: str, match: str, token_file: Path | None) -> None:
    if source == "prometheus" and not url:
        hint = "runbook import-history prometheus https://HOST:9090 --host H"
        raise UsageError("the address of the server is missing", where="URL", hint=hint)
    if source == "sar" and (url or match or token_file):
        raise UsageError("sar is read on the hosts themselves", hint="leave the address, --match and --token-file out")


def _server(url: str, token_file: Path | None) -> PrometheusServer:
    from memrunbook.runtime.named_file import read_named_text
    from memrunbook.transports.shared.prometheus import PrometheusServer

    token = os.environ.get(VARIABLE, "")
    if token_file is not None:
        try:
            token = read_named_text(token_file, LONGEST)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"{token_file}: {why}", where="--token-file") from error
    return PrometheusServer(url, token.partition("\n")[0].strip()).checked()


def _document(source: RecordedBy, found: Sequence[Imported]) -> ImportedDocument:
    from memrunbook.documents.printed.imported import PrintedImport, imported_document

    printed = (
        PrintedImport(
            host=one.host, points=one.points, series=one.series, skipped=one.skipped, error=str(one.error or "")
        )
        for one in found
    )
    return imported_document(source, printed)


def _pages(found: Sequence[Imported]) -> Iterator[list[Block]]:
    from memrunbook.ui.imported import failures_view, imported_view

    yield from failures_view([(one.host, one.error) for one in found if one.error is not None])
    taken = [one for one in found if one.error is None]
    if taken:
        yield imported_view([(one.host, one.points, one.series, one.skipped) for one in taken])
