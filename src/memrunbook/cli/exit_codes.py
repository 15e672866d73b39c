"""The exit codes: one table for `--help`, the documentation and the code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memrunbook.core.errors import HostError, Interrupted, JournalError, Refused, RunbookError, UsageError

if TYPE_CHECKING:
    from memrunbook.app import RunResult
    from memrunbook.core.run.report import HostReport

OK, DEFECT, USAGE, FAILED, UNREACHABLE, REFUSED, JOURNAL, UNKNOWN, INCIDENT, NOT_JUDGED, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    130,
)
TABLE = {
    OK: "healthy, nothing needed doing, or done and proven",
    DEFECT: "a defect of ours; the path of a full report is printed",
    USAGE: "usage, or an invalid document (nothing was tried)",
    FAILED: "a step failed, or the incident is not resolved; notify: a receiver did not take a message",
    UNREACHABLE: "a host could not be reached (network, host key, login, sudo)",
    REFUSED: "refused: gate declined or unanswerable, guard, protected target, stale plan, lock, policy; not begun",
    JOURNAL: "the journal cannot be written, or does not verify",
    UNKNOWN: "the outcome of a once-only step is unknown",
    INCIDENT: "diagnose: an incident applies (--fail-on warning: a warning stands); plan --exit-code: there are steps; "
    "doctor: something is missing; schedule check: nobody schedules; "
    "alert: a plan waits for a person, or another incident applies",
    NOT_JUDGED: "diagnose, plan: whether an incident applies could not be judged",
    INTERRUPTED: "interrupted",
}
# Over many hosts the most severe wins.
SEVERITY = (DEFECT, JOURNAL, UNKNOWN, INTERRUPTED, FAILED, UNREACHABLE, REFUSED, USAGE, INCIDENT, NOT_JUDGED, OK)
ERRORS: tuple[tuple[type[RunbookError], int], ...] = (
    (UsageError, USAGE),
    (HostError, UNREACHABLE),
    (Refused, REFUSED),
    (JournalError, JOURNAL),
    (Interrupted, INTERRUPTED),
)
OUTCOMES = {
    "healthy": OK,
    "resolved": OK,
    "improved": FAILED,
    "unresolved": FAILED,
    "failed": FAILED,
    "refused": REFUSED,
    "unreachable": UNREACHABLE,
    "interrupted": INTERRUPTED,
    "not_begun": REFUSED,
    "restored": OK,
    "running": OK,
}


def of_error(error: RunbookError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in ERRORS if isinstance(error, kind)), DEFECT)


def of_report(report: HostReport) -> int:
    """The exit code of one host's outcome; `unknown` depends on whether a once-only effect is open."""
    if report.outcome == "unknown":
        return UNKNOWN if report.open else REFUSED
    return OUTCOMES[report.outcome]


def of_run(result: RunResult) -> int:
    """The exit code of all hosts of a run; a person's stop counts too where hosts were not begun for it."""
    return worst([*([INTERRUPTED] if result.stopped and not result.alone else []), *map(of_report, result.reports)])


def most_severe(outcomes: Iterable[str]) -> str:
    """The outcome that the exit code of several hosts is about."""
    return min(outcomes, key=lambda outcome: SEVERITY.index(OUTCOMES.get(outcome, UNKNOWN)))


def worst(codes: Iterable[int]) -> int:
    """The most severe of several exit codes; none at all is a usage error."""
    return min(codes, key=SEVERITY.index, default=USAGE)
