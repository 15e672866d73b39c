"""What the pages are made of: where everything is kept, and what is typed at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from memrunbook.app.shown_pending import PlanCommands
from memrunbook.app.shown_runs import Severest
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.library import Library
from memrunbook.documents.serving import Serving


@dataclass(frozen=True, kw_only=True)
class ServedState:
    """A state directory and what belongs to it.

    `inventory` is as it was read at the start, from its `sources`. `words` say where this is
    for a command that is copied, `program` start `runbook`; `defect` keeps what is needed to mend an error of ours.
    `say` tells whoever started the server.
    """

    library: Library
    state: Path
    store: str
    inventory: Inventory
    sources: tuple[str, ...]
    words: Sequence[str]
    commands: PlanCommands
    severest: Severest
    defect: Callable[[Exception], object]
    say: Callable[[str], object]
    serving: Serving
    program: Sequence[str]

    @property
    def where(self) -> tuple[str, ...]:
        """The words that a command of ours needs to find the same as these pages."""
        words = self.words if "--state-dir" in self.words else ("--state-dir", str(self.state), *self.words)
        return (*words, *(word for source in self.sources for word in ("--inventory", source)))
