"""The values that this process was told are secret: parameters marked `secret: true`.

They are kept for the whole process on purpose: a secret that was once read may turn up in whatever a host says later,
in an error, or in the report of a defect, where nobody can hand it in.
"""

from __future__ import annotations

import re
import shlex
import threading
from urllib.parse import quote

import msgspec

LEAST = 4
"""Shorter values would be found in every word."""
LEAST_LINE = 8
"""A line of a longer secret that is hidden where it stands alone."""


class SecretsTold:
    """Secrets, and the ways in which they are written: as they are, in JSON, for a shell, in a URL, line by line."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._turn = threading.Lock()
        self.pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Hides a value from now on; ValueError for one that is too short to be hidden."""
        if len(value) < LEAST:
            raise ValueError(
                f"a secret of fewer than {LEAST} characters cannot be hidden: it would be found everywhere"
            )
        with self._turn:
            forms = {*self._forms, *_forms(value)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
            self.pattern = re.compile("|".join(map(re.escape, self._forms)))

    def in_text(self, text: str) -> bool:
        """Whether one of them stands in a text."""
        return any(form in text for form in self._forms)

    def forget(self) -> None:
        """Hides nothing of what was told any more: for tests."""
        with self._turn:
            self._forms, self.pattern = (), None


def _forms(value: str) -> set[str]:
    lines = [line for line in value.splitlines() if len(line) >= LEAST_LINE]
    return {
        form
        for part in (value, *lines)
        for form in (part, msgspec.json.encode(part).decode()[1:-1], shlex.quote(part), quote(part, safe=""))
    }


told = SecretsTold()
