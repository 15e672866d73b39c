"""The runs of other control nodes, as a store that is a server knows them: their journals are files of those nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.reporting import LAST, SECOND
from memrunbook.app.stored import Stored
from memrunbook.core.errors import JournalError, RunbookError, UsageError
from memrunbook.documents.library import Library
from memrunbook.runtime.outside import is_server
from memrunbook.state import ledger
from memrunbook.state.audit import AuditFinding

if TYPE_CHECKING:
    from memrunbook.state.runs import Run
    from memrunbook.state.store.journals import IndexedRun


@dataclass(frozen=True, kw_only=True)
class RunsElsewhere:
    """The runs that the store `name` knows, the newest first; `own` is the key of the ledger here.

    `cut`: there are older ones. `problem`: why they are not known. Without a server there is none, and no name.
    """

    name: str = ""
    runs: tuple[IndexedRun, ...] = ()
    own: str = ""
    cut: bool = False
    problem: str = ""

    def others(self, here: Sequence[Run]) -> tuple[IndexedRun, ...]:
        """Those of other ledgers; what is here is shown by what is here."""
        known = {run.run_id for run in here}
        return tuple(one for one in self.runs if one.run not in known and one.key != self.own)

    def alone(self, here: Sequence[Run]) -> tuple[IndexedRun, ...]:
        """The same without parts of runs that are shown: what was done of these is told with them."""
        shown = {*(run.run_id for run in here), *(one.run for one in self.runs)}
        return tuple(one for one in self.others(here) if one.part_of not in shown)

    def doubts(self, state: Path, here: Sequence[Run]) -> Iterator[AuditFinding]:
        """Those of the ledger here that are gone."""
        known = {run.run_id for run in here}
        for one in self.runs:
            if one.key == self.own and one.run not in known:
                gone = f"the store at {self.name} knows this run ({one.runbook}, by {one.who}): it is gone here"
                yield AuditFinding("error", str(state / "runs" / one.run), gone)


NOWHERE = RunsElsewhere()


def elsewhere(state: Path, library: Library, store: str, begins: str = "") -> RunsElsewhere:
    """What a store that is a server knows of all runs, or of those whose id `begins` so.

    Ask before the runs here are listed: one may begin meanwhile. What config.yaml says is heeded where it can be read.
    """
    stored = Stored(state, named=store)
    with suppress(RunbookError):  # a list of what was done is shown whatever is wrong with the settings
        stored = Stored(state, library.config(), store)
    if not is_server(stored.place):
        return NOWHERE
    try:
        with closing(stored.look()) as opened:
            from memrunbook.state.store.journals import MOST, runs_elsewhere

            found = runs_elsewhere(opened, begins=begins)
        return RunsElsewhere(name=stored.name, runs=found, own=ledger.first_key(state), cut=len(found) == MOST)
    except RunbookError as error:
        return RunsElsewhere(name=stored.name, problem=error.message)


def where_it_is(error: UsageError, run: str, state: Path, library: Library, store: str) -> RunbookError:
    """Why a run cannot be shown that is not here: the control node that it is on, else the `error` as it was.

    JournalError for one of the ledger here: it is gone.
    """
    found = NOWHERE if run == LAST or len(run) < SECOND else elsewhere(state, library, store, run)
    if not found.runs:
        return error
    one = found.runs[0]
    if one.key == found.own:
        gone = f"the store at {found.name} knows this run, and it is gone here"
        return JournalError(gone, where=str(state / "runs" / one.run), hint="runbook audit verify says what is missing")
    more = "" if len(found.runs) == 1 else f", and {len(found.runs) - 1} more begin so"
    why = f"run {one.run} is on control node {one.node} ({one.runbook}, by {one.who}), not here{more}"
    return UsageError(why, hint=f"its journals are files of that node; there: runbook report {one.run}")
