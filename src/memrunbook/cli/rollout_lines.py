"""How a run goes over its hosts, in lines on stderr: whatever the format, somebody who waits should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from memrunbook.app.notice import Notice
from memrunbook.cli.streams import while_heard
from memrunbook.core.host import Host
from memrunbook.core.run.batches import few
from memrunbook.ui.block import Block, line
from memrunbook.ui.errors import notice
from memrunbook.ui.words import plural


class RolloutLines(Notice):
    """Says the batches that begin, the hosts that are not begun, and who waits for whom."""

    def __init__(self, say: Callable[[Block], object]) -> None:
        self._line = while_heard(say)
        self._waits: dict[str, str] = {}

    def goes_on(self, said: Block) -> None:
        """A line of how it goes, where nothing went wrong."""
        self._line(said)

    def batch(self, number: int, count: int, hosts: Sequence[Host]) -> None:
        """A batch that begins gets a line."""
        names = few([host.name for host in hosts])
        self.goes_on(line(f"batch {number} of {count}: {plural(len(hosts), 'host')}, {names}"))

    def not_begun(self, hosts: Sequence[str], why: str) -> None:
        """So do the hosts that were not begun."""
        self._line(line(f"not begun: {plural(len(hosts), 'host')}, {few(hosts)}: {why}"))

    def remark(self, words: str, hint: str) -> None:
        """What a person should know beside the result gets its lines, too."""
        for said in notice(words, hint):
            self._line(said)

    def waits(self, host: str, why: str) -> None:
        """So does a wait for another host, once."""
        if self._waits.get(host) != why:
            self._waits[host] = why
            self.goes_on(line(f"{host}  waits for {why}"))
