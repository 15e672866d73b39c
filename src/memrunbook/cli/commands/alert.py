"""runbook alert: answer alerts of Prometheus with a fresh look at their hosts."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.next_command import way_options
from memrunbook.cli.options import LIBRARY, PLANNED_HOSTS, STATE, STORE, OutputOptions, common
from memrunbook.cli.recap import UNTOLD
from memrunbook.cli.reply import Reply
from memrunbook.cli.rolling import with_defaults
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.core.errors import UsageError
from memrunbook.core.run.batches import Rollout
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.alerting import AlertResult
    from memrunbook.core.inventory.inventory import Inventory
    from memrunbook.core.run.answered import AlertAnswer
    from memrunbook.documents.alerts import AlertsPosted
    from memrunbook.documents.printed.alert import AlertDocument
    from memrunbook.ui.block import Block

CODES: dict[AlertAnswer, int] = {
    "unreachable": exit_codes.UNREACHABLE,
    "unknown-host": exit_codes.USAGE,
    "not-judged": exit_codes.NOT_JUDGED,
    "other": exit_codes.INCIDENT,
    "planned": exit_codes.INCIDENT,
}


@click.command()
@common(PLANNED_HOSTS, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(targets: Targets, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """Read an Alertmanager webhook document (version 4) on stdin, and look at each host that a firing alert names.

    What the host is found to have decides, never the alert: the runbook that config.yaml (alerts:) names for it is
    planned or run only where its incident is found there. Exit 8 where a plan waits for a person.
    """
    from memrunbook.app.alerting import AlertArguments, answer_alerts
    from memrunbook.app.asking import asked_on_pages
    from memrunbook.app.going_on import words_here
    from memrunbook.cli.interrupts import finish_then_stop
    from memrunbook.cli.naming import as_typed
    from memrunbook.cli.narration import Narration
    from memrunbook.documents.alerts import read_alerts

    content = _stdin()
    posted = read_alerts(content)
    talk = Conversation(output, targets)
    arguments = AlertArguments(
        posted=posted,
        inventory_of=lambda sources: _inventory(targets, sources),
        as_reached=lambda host: as_typed(targets, host),
        connectors=talk.connectors(),
        library=library,
        state=state,
        store=store,
        command=" ".join(click.get_current_context().find_root().obj or ()),
        options=way_options(),
        rollout=with_defaults(Rollout(), library.config().defaults),
        asked=asked_on_pages(state, "alert", hashlib.sha256(content).hexdigest()),
    )
    if output.format.CONVERSES:
        with Narration(talk, ()) as told, finish_then_stop(talk.stop, told.in_flight, told.stopping):
            result = answer_alerts(arguments, told, stop=talk.stop)
    else:  # one document is the answer: no records before it
        with finish_then_stop(talk.stop):
            result = answer_alerts(arguments, stop=talk.stop)
    for words in result.untold:
        talk.note(words, UNTOLD)
    place = words_here(state, library, store, way_options())
    reply = Reply(_code(result), lambda: _document(result, posted), lambda: _pages(result, posted, place))
    return show(output, reply)


def _stdin() -> bytes:
    """What is posted, as much as is read of it, within a time."""
    from memrunbook.cli.posted import read_posted
    from memrunbook.documents.alerts import LARGEST

    hint = "runbook alert < FILE; docs/how-to/alertmanager.md shows how Alertmanager hands it over"
    if sys.stdin is None or sys.stdin.isatty():
        what = "a terminal" if sys.stdin is not None else "closed"
        raise UsageError(f"the document of the alerts is read from stdin, and that is {what}", hint=hint)
    return read_posted(sys.stdin.buffer, LARGEST + 1)


def _inventory(targets: Targets, sources: tuple[str, ...]) -> Inventory:
    from dataclasses import replace

    from memrunbook.cli.naming import inventory_of

    sources = sources or targets.inventory
    if not sources:
        hint = "-i FILE, defaults: inventory: in config.yaml, or inventory: in the entry of alerts:"
        raise UsageError("no inventory says which hosts an alert may mean", where="--inventory", hint=hint)
    return inventory_of(replace(targets, inventory=sources))


def _code(result: AlertResult) -> int:
    planned = {one.host for one in result.alerts if one.answer == "planned"}
    reports = [report for run in result.runs for report in run.reports if report.host not in planned]
    codes = [CODES.get(one.answer, exit_codes.OK) for one in result.alerts]
    return exit_codes.worst([exit_codes.OK, *codes, *map(exit_codes.of_report, reports)])


def _document(result: AlertResult, posted: AlertsPosted) -> AlertDocument:
    from memrunbook.documents.printed.alert import AlertDocument

    left_out = posted.truncated + posted.beyond
    return AlertDocument(alerts=result.alerts, runs=tuple(run.run_id for run in result.runs), left_out=left_out)


def _pages(result: AlertResult, posted: AlertsPosted, words: Sequence[str]) -> Iterator[list[Block]]:
    from memrunbook.app.going_on import completed
    from memrunbook.ui.alerts import alerts_view

    yield alerts_view(result.alerts, lambda command: completed(command, words), posted.truncated, posted.beyond)
