"""runbook diagnose: what is wrong with hosts, who causes it, and which runbook applies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import DISTRIBUTE, HOST_OUTPUT, way_to
from memrunbook.cli.options import (
    HISTORY,
    HOSTS_OR_REPLAY,
    LIBRARY,
    PARAMETERS,
    STATE,
    STORE,
    WATCH,
    OutputOptions,
    common,
)
from memrunbook.cli.reply import Reply
from memrunbook.cli.sending import HTML, refuse_unwritable, show_and_send
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.diagnosing import DiagnoseResult
    from memrunbook.core.plan.headline import Headline
    from memrunbook.core.plan.judged import Judged
    from memrunbook.core.plan.ranking import Alike, Ranking
    from memrunbook.documents.printed.diagnose import DiagnoseDocument, PrintedHost
    from memrunbook.ui.block import Block
    from memrunbook.ui.html.page import Page


@click.command()
@click.option("--quick", is_flag=True, help="Judge by the first reading alone: what needs a rate is unknown.")
@click.option(
    "--fail-on",
    "fail_on",
    type=click.Choice(["incident", "warning"]),
    default="incident",
    show_default=True,
    help="Exit with 8 when an incident applies, or when a warning stands too.",
)
@common(HOSTS_OR_REPLAY, WATCH, PARAMETERS, LIBRARY, STATE, STORE, HISTORY, HTML, DISTRIBUTE, HOST_OUTPUT)
def command(
    targets: Targets, output: OutputOptions, library: Library, state: Path, store: str, parameters: dict[str, str],
    watch: float | None, fail_on: str, html: Path | None, *, quick: bool, history: bool, distribute: bool,
) -> int:  # fmt: skip
    """Read hosts and judge them by all runbooks. Nothing is changed."""
    from memrunbook.app import DiagnoseArguments, diagnose_each

    refuse_unwritable(html, output)
    talk = Conversation(output, targets)
    arguments = DiagnoseArguments(
        hosts=(hosts := talk.hosts),
        connectors=way_to(talk, distribute=distribute),
        library=library,
        state=state,
        store=store,
        parameters=parameters,
        watch=watch,
        quick=quick,
        history=history,
        distribute=distribute,
        full=(full := html is not None or output.verbose or len(hosts) == 1),
        printed=not output.format.CONVERSES,
    )

    def keep(judged: Judged, off: str) -> KeptHost:
        return _told(judged, off, talk, _code_of(judged, fail_on), full=full)

    result = diagnose_each(arguments, keep, talk.meanwhile, stop=talk.stop, meanwhile=_load_views)
    _say_left_out(result, output)
    pages = partial(_pages, result, output)
    outcomes, packed = [told.headline.outcome for told in result.hosts], [told.packed for told in result.hosts]
    reply = Reply(_code(result), lambda: _document(result), pages, outcomes, packed)
    return show_and_send(output, reply, html, lambda: _to_send(result))


def _say_left_out(result: DiagnoseResult[KeptHost], output: OutputOptions) -> None:
    """Which runbooks judged nothing, and why."""
    if result.left_out:
        from memrunbook.ui.problems import left_out_view
        from memrunbook.ui.screen import Screen

        Screen(output.color, sys.stderr).show(left_out_view(result.left_out))


@dataclass(frozen=True)
class KeptHost:
    """What is kept of a host: its headline and exit code; the rest only where the answer has its details.

    `packed` is its part of the document, as the format keeps it; `named` the same with its name and outcome alone.
    """

    headline: Headline
    code: int
    judged: Judged | None = None
    packed: bytes = b""
    named: PrintedHost | None = None


def _told(judged: Judged, off: str, talk: Conversation, code: int, *, full: bool) -> KeptHost:
    from memrunbook.core.plan.headline import headline

    written = talk.output.format
    kept = judged if full else None
    if written.CONVERSES:
        return KeptHost(headline(judged), code, judged=kept)
    from memrunbook.documents.printed.diagnose import PrintedHost, printed_host
    from memrunbook.documents.printed.diagnose_host import diagnose_host

    printed = printed_host(judged, off)
    talk.tell(lambda: diagnose_host(printed))
    named = None if written.BY_HOST else PrintedHost(host=printed.host, outcome=printed.outcome)
    return KeptHost(headline(judged), code, kept, written.pack(printed), named)


def _load_views() -> None:
    """Loads what is needed only when the last sample is there."""
    import memrunbook.ui.diagnosis
    import memrunbook.ui.screen  # noqa: F401


def _code(result: DiagnoseResult[KeptHost]) -> int:
    code = exit_codes.worst(told.code for told in result.hosts)
    return exit_codes.USAGE if code == exit_codes.OK and result.left_out else code  # not all was judged: no "OK"


def _code_of(judged: Judged, fail_on: str) -> int:
    if judged.reached.error is not None:
        return exit_codes.of_error(judged.reached.error)
    from memrunbook.core.plan.standing import standing

    stands = standing(judged.diagnosis.runbooks if judged.diagnosis is not None else ())
    stated = fail_on == "warning" and stands.worst in ("critical", "warning")
    if stands.within or stated:
        return exit_codes.INCIDENT
    return exit_codes.OK if stands.judged else exit_codes.NOT_JUDGED


def _document(result: DiagnoseResult[KeptHost]) -> DiagnoseDocument:
    from memrunbook.documents.printed.diagnose import diagnose_document
    from memrunbook.ui.fleet import fleet_verdict, group_words
    from memrunbook.ui.layout import plain

    ranking, commands = _ranking(result)
    told = ((plain(group_words(group)), command) for group, command in zip(ranking.groups, commands, strict=True))
    verdict = plain(fleet_verdict(ranking, commands).body)
    return diagnose_document([one.named for one in result.hosts if one.named], ranking, verdict, told)


def _pages(result: DiagnoseResult[KeptHost], output: OutputOptions) -> Iterator[list[Block]]:
    from memrunbook.ui.fleet import FULL, FULL_RECORDED, fleet_view

    judged = {told.headline.name: told.judged for told in result.hosts if told.judged is not None}
    if len(result.hosts) > 1:
        ranking, commands = _ranking(result)
        full = FULL_RECORDED if all(one.host.transport == "replay" for one in ranking.hosts) else FULL
        yield fleet_view(ranking, commands, result.off, full="" if output.verbose else full)
        judged = {one.name: judged[one.name] for one in ranking.hosts if one.name in judged}
    for one in judged.values() if output.verbose or len(result.hosts) == 1 else ():
        yield _page(one, result, verbose=output.verbose)


def _to_send(result: DiagnoseResult[KeptHost]) -> Page:
    """The same as a page to send: each host in full, the worst first."""
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.diagnosis_page import diagnosed_host, diagnosis_page
    from memrunbook.ui.fleet import fleet_view
    from memrunbook.ui.words import moment_words
    from memrunbook.version import __version__

    ranking, commands = _ranking(result)
    about = fleet_view(ranking, commands, result.off, full="") if len(result.hosts) > 1 else []
    judged = {told.headline.name: told.judged for told in result.hosts if told.judged is not None}
    heads = [one for one in ranking.hosts if one.name in judged]
    hosts = [diagnosed_host(one, judged[one.name], _page(judged[one.name], result, verbose=True)) for one in heads]
    return diagnosis_page(about, hosts, moment_words(SystemClock().now().utc), __version__)


def _ranking(result: DiagnoseResult[KeptHost]) -> tuple[Ranking, list[str]]:
    """The hosts, the worst first, and what to type next for each group."""
    from memrunbook.core.plan.ranking import ranked

    ranking = ranked(told.headline for told in result.hosts)
    return ranking, [_command(group, result) for group in ranking.groups]


def _command(group: Alike, result: DiagnoseResult[KeptHost]) -> str:
    from memrunbook.cli.next_command import diagnose_command, doctor_command, parameter_words, reach

    first, hosts = group.first, [one.host for one in group.hosts]
    if first.outcome == "interrupted":
        return diagnose_command(*hosts)
    if first.outcome == "unreachable" or (first.word == "UNKNOWN" and first.outcome == "not-judged"):
        return "" if any(host.transport == "replay" for host in hosts) else doctor_command(*hosts)
    if first.incident is None:
        return ""
    given = parameter_words(result.parameters.get(first.incident.runbook, {}))
    options = (reach(*hosts, without=("parameters",)), given)
    return " ".join(["runbook plan", first.incident.runbook, *filter(None, options)])


def _page(judged: Judged, result: DiagnoseResult[KeptHost], *, verbose: bool) -> list[Block]:
    """One host in full."""
    from memrunbook.cli.next_command import parameter_words, reach
    from memrunbook.runtime.clock import SystemClock
    from memrunbook.ui.diagnosis import diagnosis_view
    from memrunbook.ui.errors import error_view

    reached, diagnosis = judged.reached, judged.diagnosis
    if reached.snapshot is None or diagnosis is None:
        return error_view(reached.error, reached.name)
    given = {runbook: parameter_words(values) for runbook, values in result.parameters.items()}
    options, now = reach(reached.host, without=("parameters",)), SystemClock().now()
    return diagnosis_view(diagnosis, reached.snapshot, options, now, given=given, verbose=verbose, off=result.off)
