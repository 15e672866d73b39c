"""Who else is told where the ledger stands: somebody who knows that elsewhere is a second witness of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from memrunbook.state.ledger import SealedEntry


class LedgerWitness(Protocol):
    """Somebody elsewhere who is told of each entry, once it is on the disk here."""

    def told(self, entries: Sequence[SealedEntry], *, begins: bool) -> None:
        """The ledger has grown by these entries, or by none.

        JournalError where something `begins` and the end of the ledger is not known there: then nothing may be begun.
        Else nothing is raised: what could not be told is told later.
        """


class Unwitnessed:
    """Nobody is told: the files of this machine are all that there is."""

    def told(self, entries: Sequence[SealedEntry], *, begins: bool) -> None:
        """Tells nobody."""


UNWITNESSED = Unwitnessed()
