"""runbook doctor: what works and what does not, on this control node and on hosts, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memrunbook.cli import exit_codes
from memrunbook.cli.conversation import Conversation
from memrunbook.cli.host_options import HOST_OUTPUT
from memrunbook.cli.options import HOSTS_IF_NAMED, LIBRARY, STATE, STORE, OutputOptions, common
from memrunbook.cli.reply import Reply
from memrunbook.cli.streams import show
from memrunbook.cli.targets import Targets
from memrunbook.documents.library import Library

if TYPE_CHECKING:
    from memrunbook.app.doctoring import DoctorResult
    from memrunbook.documents.printed.doctor import DoctorDocument
    from memrunbook.runtime.inspection import Inspection
    from memrunbook.ui.block import Block

CODES = {"state": exit_codes.JOURNAL, "documents": exit_codes.USAGE}
"""What is missing elsewhere is 8: there is something to do."""


@click.command()
@common(HOSTS_IF_NAMED, LIBRARY, STATE, STORE, HOST_OUTPUT)
def command(targets: Targets, library: Library, state: Path, store: str, output: OutputOptions) -> int:
    """Look at this control node, or with --host at each stage of reaching hosts and what this login can do there.

    Nothing is changed. Exit code 0: nothing is missing; 4: a host was not reached; 6: the state directory or the store;
    2: a file that does not say what it must; 8: something else is missing.
    """
    from memrunbook.app import DoctorArguments, doctor

    talk = Conversation(output, targets)
    hosts = talk.hosts if targets.names_hosts else ()
    reached = talk.connectors()
    arguments = DoctorArguments(hosts=hosts, connectors=reached, library=library, state=state, store=store)
    result = doctor(arguments, talk.meanwhile)
    return show(output, Reply(_code(result), lambda: _document(result), lambda: _pages(result, output)))


def _code(result: DoctorResult) -> int:
    codes = [_of(one) for one in _every(result) if one.state == "missing"]
    codes += [exit_codes.of_error(one.error) for one in result.hosts if one.error is not None]
    return exit_codes.worst([exit_codes.OK, *codes])


def _of(one: Inspection) -> int:
    return CODES.get(one.area, exit_codes.INCIDENT)


def _every(result: DoctorResult) -> Iterable[Inspection]:
    return (*result.here, *(one for host in result.hosts for one in host.inspections))


def _document(result: DoctorResult) -> DoctorDocument:
    from memrunbook.documents.printed.doctor import DoctorDocument, PrintedLogin, printed

    missing = sum(one.state == "missing" for one in _every(result))
    hosts = (
        PrintedLogin(host=one.host, reached=one.error is None, inspections=printed(one.inspections))
        for one in result.hosts
    )
    return DoctorDocument(well=not missing, missing=missing, here=printed(result.here), hosts=tuple(hosts))


def _pages(result: DoctorResult, output: OutputOptions) -> Iterator[list[Block]]:
    from memrunbook.ui.doctor import doctor_view, hosts_view

    yield doctor_view("this control node", result.here, verbose=output.verbose)
    yield from hosts_view({one.host: one.inspections for one in result.hosts}, verbose=output.verbose)
