"""What became of reading one host."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.core.errors import RunbookError
from memrunbook.core.host import Host
from memrunbook.core.reading.snapshot import Snapshot


@dataclass(frozen=True)
class Reached:
    """A host and its snapshot, or the error that prevented one."""

    host: Host
    snapshot: Snapshot | None = None
    error: RunbookError | None = None

    @property
    def name(self) -> str:
        """The host's name."""
        return self.host.name
