"""The registered passkeys as the server sees them: read anew when their file has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memrunbook.state.known_passkeys import KnownPasskey, known_passkeys, passkeys_file


@dataclass
class PasskeysHere:
    """Those of a state directory."""

    state: Path
    _seen: tuple[int, int, int] | None = None
    _known: Mapping[str, KnownPasskey] = field(default_factory=dict)

    def known(self) -> Mapping[str, KnownPasskey]:
        """Each by its id."""
        seen = self._stamp()
        if seen is None or seen != self._seen:
            self._known, self._seen = {one.credential: one for one in known_passkeys(self.state)}, seen
        return self._known

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = passkeys_file(self.state).stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
