"""Until when runs have dealt with what happened on hosts: those of this node, and of all that share a server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import JournalError
from memrunbook.core.units import DAY
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.handled import Handled
from memrunbook.runtime.outside import is_server
from memrunbook.state.handled import handled
from memrunbook.state.runs import Run

if TYPE_CHECKING:
    from memrunbook.app.stored import Stored
    from memrunbook.state.store.changes import Store

LATELY = 7 * DAY
"""Seconds: what happened before that is in no kernel's log that anybody judges by."""


def handled_by_all(state: Path, known: Sequence[Run], store: Store) -> dict[str, Handled]:
    """By runbook what its runs have dealt with, of whichever node; a file knows no more than the journals here."""
    found = {name: dict(machines) for name, machines in handled(state, known).items()}
    if store.engine.dialect.name == "sqlite":
        return dict(found)
    for runbook, host, machine, at in store.resolved(SystemClock().now().utc - LATELY):
        machines = found.setdefault(runbook, {})
        machines[host, machine] = max(machines.get((host, machine), 0.0), at)
    return dict(found)


def handled_for_looks(state: Path, known: Sequence[Run], stored: Stored) -> dict[str, Handled]:
    """The same for whoever only looks: of a server that does not answer only what is known here."""
    if is_server(stored.place):
        try:
            with closing(stored.open()) as store:
                return handled_by_all(state, known, store)
        except JournalError:
            pass  # that it does not answer is told where the switch is asked for
    return dict(handled(state, known))
