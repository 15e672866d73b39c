"""Puts into the ledger where the journals of one run stand: when they begin, at each command, and when they end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from memrunbook.core.instant import Instant
from memrunbook.state import ledger
from memrunbook.state.journal import RunJournal
from memrunbook.state.ledger import LedgerEntry, LedgerEvent, SealedEntry
from memrunbook.state.witnessed import LedgerWitness


class RunSeals:
    """The entries of one run; `journals` are those that it has open, `common` the names of those that are of no host.

    `turn` is held by whoever opens journals, so that none is open that the ledger does not know. What was sealed the
    `witness` is told, when it is on the disk.
    """

    def __init__(
        self,
        state: Path,
        run_id: str,
        now: Callable[[], Instant],
        common: tuple[str, ...],
        witness: LedgerWitness,
    ) -> None:
        self.turn = threading.Lock()
        self.journals: dict[str, RunJournal] = {}
        self._state, self._run_id, self._now, self._common, self._witness = state, run_id, now, common, witness
        self._sealed: dict[str, int] = {}
        self._waiting: set[str] = set()

    def begin(self, fresh: Mapping[str, RunJournal], *, demanded: bool) -> None:
        """Journals that were just opened, in one write; the caller has the turn. As `so_far` of what is `demanded`."""
        sealed = self._keep([self._entry(name, journal, "start") for name, journal in fresh.items()])
        self._witness.told(sealed, begins=demanded)

    def so_far(self, name: str, *, demanded: bool) -> None:
        """Where a journal stands now, and those of no host: what is in them is vouched for from now on.

        Those that come at the same time are one write: whoever has the turn seals for all that wait.
        JournalError where it is `demanded` that the witness knows it, and it does not.
        """
        self._waiting.add(name)
        with self.turn:
            sealed: list[SealedEntry] = []
            if name in self._waiting:  # else whoever had the turn before has sealed it
                names = sorted(self._waiting)
                sealed = self._keep([self._entry(one, self.journals[one], "so-far") for one in names])
                self._waiting.difference_update(names)
            self._witness.told(sealed, begins=demanded)

    def end(self) -> str:
        """Where every journal ends; returns the ledger's new head."""
        entries = [self._entry(name, journal, "end") for name, journal in sorted(self.journals.items())]
        sealed = ledger.append(self._state, entries, self._now().isoformat())
        self._witness.told(sealed, begins=False)
        return sealed[-1].hash

    def _keep(self, entries: list[LedgerEntry]) -> list[SealedEntry]:
        """One write to the ledger, with where the files of no host stand, if they were written to since."""
        open_ = [name for name in self._common if name in self.journals]
        common = [self._entry(name, self.journals[name], "so-far") for name in open_]
        new = [entry for entry in common if self._sealed.get(entry.file, 0) != entry.count]
        sealed = ledger.append(self._state, [*new, *entries], self._now().isoformat())
        self._sealed |= {entry.file: entry.count for entry in new}
        return sealed

    def _entry(self, name: str, journal: RunJournal, event: LedgerEvent) -> LedgerEntry:
        return LedgerEntry(self._run_id, name, event, journal.link.head, journal.link.count)
