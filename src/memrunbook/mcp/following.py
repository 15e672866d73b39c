"""What one call tells meanwhile, and how it is ended."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from memrunbook.app.notice import Notice
from memrunbook.core.errors import Interrupted
from memrunbook.core.host import Host
from memrunbook.core.units import format_duration

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd

SOON = 2.0
"""A wait is told from here on, in seconds."""
MOST = 100
"""What nobody has fetched by then is not told any more."""


class Following(Notice):
    """Listens to a use case, from several threads; whoever serves the call fetches what it heard.

    Once `stop` is set every wait ends.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.remarks: list[tuple[str, str]] = []
        self._heard: deque[str] = deque(maxlen=MOST)
        self._waits: dict[str, str] = {}

    def heard(self) -> Sequence[str]:
        """What was heard since it was asked for last."""
        found = []
        while self._heard:
            found.append(self._heard.popleft())
        return found

    def reading(self, hosts: Sequence[Host], count: int, every: float, *, watching: bool) -> None:
        """Says what takes so long."""
        whom = hosts[0].name if len(hosts) == 1 else f"{len(hosts)} hosts"
        verb = "watching" if watching else "reading"
        self._heard.append(f"{verb} {whom}: {count} samples, about {format_duration((count - 1) * every)}")

    def connecting(self, host: str) -> None:
        """Says which host is being reached."""
        self._heard.append(f"{host}: connecting")

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        """Says how reading a host ended."""
        self._heard.append(f"{host}: {outcome}{f', {why}' if why else ''}")

    def waiting(self, host: str, what: str, waited: float) -> None:
        """Says once what a host is waited for; raises Interrupted where nobody waits for the answer any more."""
        if self.stop.is_set():
            raise Interrupted(f"given up after {waited:.0f} s: {what}")
        if waited >= SOON and self._waits.get(host) != what:
            self._waits[host] = what
            self._heard.append(f"{host}: {what}")

    def remark(self, words: str, hint: str) -> None:
        """Keeps it for the answer."""
        self.remarks.append((words, hint))
