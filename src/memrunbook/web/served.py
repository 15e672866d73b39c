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
    for a command that is copied; `defect` keeps what is needed to mend an error of ours.
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
    serving: Serving
