"""`runbook runs --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.flight import ENDS, UNKNOWN, OpenStep
from memrunbook.core.run.record import Ended, Invoked
from memrunbook.documents.printed import Document
from memrunbook.documents.printed.audit import PrintedAuditFinding


class PrintedOpen(Struct, frozen=True):
    """A step that a run began and that has no end; `started` is UTC, `consent` the word that lets it happen again."""

    run: str
    host: str
    step: str
    action: str
    target: str
    summary: str
    started: str
    outcome: str
    consent: str


class PrintedRun(Struct, frozen=True, kw_only=True):
    """One run: its directory, whether it is over, how it began and how it ended; null where that is not known."""

    run_id: str
    path: str
    state: Literal["running", "interrupted", "ended"]
    hosts: tuple[str, ...]
    invoked: Invoked | None
    ended: Ended | None
    open: tuple[PrintedOpen, ...] = ()


class PrintedRunElsewhere(Struct, frozen=True, kw_only=True):
    """A run of another control node, as the store knows it; its journals are files of that `node`.

    `part_of` is the run that had it done, where another node did. Times are UTC; `ended` is null and `outcomes` (by
    host) are empty where its end is not known.
    """

    run_id: str
    node: str
    runbook: str
    who: str
    reason: str
    hosts: tuple[str, ...]
    part_of: str
    began: str
    ended: str | None
    outcomes: dict[str, str]


class RunsDocument(Document, frozen=True, kw_only=True):
    """runbook runs --json; `elsewhere_problem` says why the runs of other control nodes are not known.

    `elsewhere_cut`: they have older ones than those.
    """

    format: Literal["memrunbook.runs/1"] = "memrunbook.runs/1"
    intact: bool
    findings: tuple[PrintedAuditFinding, ...]
    runs: tuple[PrintedRun, ...]
    elsewhere: tuple[PrintedRunElsewhere, ...] = ()
    elsewhere_problem: str = ""
    elsewhere_cut: bool = False


def open_steps(left: Iterable[OpenStep]) -> tuple[PrintedOpen, ...]:
    """Open steps, as they are printed."""
    return tuple(
        PrintedOpen(
            run=one.run,
            host=one.host,
            step=one.step,
            action=one.action,
            target=one.target,
            summary=one.summary,
            started=one.started,
            outcome=ENDS.get(one.answer, UNKNOWN),
            consent=one.consent,
        )
        for one in left
    )


def runs_document(
    runs: Iterable[PrintedRun],
    findings: Iterable[PrintedAuditFinding],
    elsewhere: Iterable[PrintedRunElsewhere] = (),
    problem: str = "",
    *,
    cut: bool = False,
) -> RunsDocument:
    """The runs, the newest first, and where what is shown of them is not as it was written."""
    found, others = tuple(findings), tuple(elsewhere)
    return RunsDocument(
        intact=not found,
        findings=found,
        runs=tuple(runs),
        elsewhere=others,
        elsewhere_problem=problem,
        elsewhere_cut=cut,
    )
