"""What a server was started with: nothing that a client says adds to it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import RunbookError
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.core.ranges import compact
from memrunbook.documents.library import Library
from memrunbook.mcp.following import Following
from memrunbook.transports.shared.reach import Reach

REPLAY = "replay"


@dataclass(frozen=True, kw_only=True)
class Served:
    """Whoever starts a server says all of this, once.

    `inventory` holds the hosts that may be named, and no others. `again` gives the options that a command of these
    words needs, to find what is meant. `code_of` is the exit code that an error has at the terminal, `defect` writes
    the report of one of ours.
    """

    library: Library
    state: Path
    store: str
    inventory: Inventory
    reach: Reach
    forks: int
    history: bool
    again: Callable[[Sequence[str]], Sequence[str]]
    code_of: Callable[[RunbookError], int]
    defect: Callable[[Exception], object]

    def connectors(self, following: Following) -> Connectors:
        """How hosts are reached in one call, which can be ended while it waits for one."""
        return Connectors(replace(self.reach, waiting=following.waiting), self.forks)

    def command(self, *words: str, hosts: Iterable[Host] = ()) -> str:
        """A command for a person to type."""
        return shlex.join(["runbook", *words, *self._named(hosts), *self.again(words)])

    def options(self, command: str, host: Host) -> str:
        """The options with which a command reaches one host."""
        return shlex.join([*self._named([host]), *self.again([command])])

    def _named(self, hosts: Iterable[Host]) -> list[str]:
        hosts = list(hosts)
        recorded = [word for host in hosts if host.transport == REPLAY for word in ("--replay", host.source)]
        real = compact(host.typed for host in hosts if host.transport != REPLAY)
        return [*recorded, *(["--host", ",".join(real)] if real else [])]

    def runbooks(self) -> Collection[str]:
        """The names of the runbooks that there are."""
        return list(dict.fromkeys(one.name for one in self.library.entries() if not (one.shadowed or one.problem)))
