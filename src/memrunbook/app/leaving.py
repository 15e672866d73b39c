"""How a run is left before its end: by whoever presses Ctrl-C again, or because its journal cannot be written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from memrunbook.app.reporting import report
from memrunbook.core.errors import JournalError, RunbookError
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.report import GOES_ON, NOTHING_DONE, HostReport

LEFT = "Left at once: what was under way may be unfinished.\n"
LEFT_TO_WORKERS = "Left at once: the workers bring what they are at to its end, and begin no other host.\n"
LEFT_UNPLACED = "Left at once: nothing had been handed to workers yet, and nothing was done.\n"
LEFT_IDLE = "Left at once: no change was under way.\n"
NOT_ENDED = "it had not come to its end"
GO_ON = """\
  hint: runbook resume {0} looks at it and goes on; runbook report {0} shows how far each host came
"""


class LeftAtOnce(KeyboardInterrupt):
    """Ctrl-C was pressed again. Its text is for whoever leaves; `reports` say how far each host had come by then."""

    def __init__(self, words: str, run_id: str, reports: Sequence[HostReport]) -> None:
        self.run_id = run_id
        self.reports = tuple(reports)
        super().__init__(words)


def left_at_once(state: Path, run_id: str, in_flight: Sequence[OpenStep], *, workers: bool | None = None) -> LeftAtOnce:
    """What is said to whoever leaves at once: what may be unfinished, what is known of each host, and what to do.

    `workers` go on with it: True; or were to do it and have not got it yet: False; nobody but this node: None.
    """
    under_way = "".join(f"  {opened.host}: {opened.told}\n" for opened in in_flight)
    left = {True: LEFT_TO_WORKERS, False: LEFT_UNPLACED, None: LEFT if under_way else LEFT_IDLE}[workers]
    words = f"{left}{under_way}{'' if workers is False else GO_ON.format(run_id)}"
    reports: tuple[HostReport, ...] = ()
    with suppress(RunbookError):  # what cannot be read now is told by `runbook report` later
        reports = report(state, run_id).reports
    return LeftAtOnce(words, run_id, [_cut_short(one) for one in reports])


def _cut_short(found: HostReport) -> HostReport:
    if found.outcome != "running":
        return found
    begun = found.begun or found.steps or found.others
    why = found.why if found.why != GOES_ON.why else NOT_ENDED if begun else NOTHING_DONE
    return structs.replace(found, outcome="interrupted", why=why)


def not_written(error: JournalError, run_id: str, in_flight: Sequence[OpenStep]) -> JournalError:
    """A journal that cannot be written, with what was under way, and what to do then."""
    at = "".join(f"; under way on {opened.host}: {opened.told}" for opened in in_flight)
    then = f"then: runbook resume {run_id} (report shows how far it came)"
    found = JournalError(f"{error.message}{at}", where=error.where, hint=f"{error.hint}; {then}")
    found.run = run_id
    return found
