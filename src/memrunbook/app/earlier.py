"""What is behind a run that goes on after it was cut off."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.core.run.event import Event
from memrunbook.core.run.resume import Behind


@dataclass(frozen=True)
class Earlier:
    """What an interrupted run had done on one host before it goes on: how far it came, and what it remembered."""

    behind: Behind | None = None
    events: tuple[Event, ...] = ()

    @property
    def begun(self) -> bool:
        """True where it had begun to change things, or may have: it is brought to its end there, whoever failed."""
        return self.behind is not None and (self.behind.begun or self.behind.locked)
