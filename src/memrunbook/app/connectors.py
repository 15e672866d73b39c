"""The ways to the hosts of one use case."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from memrunbook import transports
from memrunbook.core.errors import Unreachable
from memrunbook.core.host import Host
from memrunbook.runtime.ports import Connector, Session
from memrunbook.transports.shared.reach import Reach, Way
from memrunbook.transports.shared.ssh_arguments import config_of


@dataclass(frozen=True)
class Refusing:
    """The connector of a host that is not reached, because of what its inventory says."""

    host: Host

    def connect(self) -> Session:
        """Raises Unreachable with the reason."""
        raise Unreachable(self.host.refused, where=self.host.name, hint=self.host.hint)


@dataclass(frozen=True)
class Connectors:
    """Connectors by the transport that each host names; `forks` hosts are worked on at a time, sleeping ones apart.

    A host whose inventory names an ssh configuration file of its own (-F) is reached by that.
    """

    reach: Reach = field(default_factory=Reach)
    forks: int = 50
    _ways: dict[tuple[str, str], Way] = field(default_factory=dict, repr=False, compare=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def connector(self, host: Host) -> Connector:
        """The connector of a host; UsageError where its transport does not exist or cannot reach it.

        That of a host whose inventory says what cannot be honoured says so, and reaches nobody.
        """
        if host.refused:
            return Refusing(host)
        kind = (host.transport, config_of(host.ssh_args))
        with self._turn:  # one way for all hosts of a kind: it reads files and keys once
            if kind not in self._ways:
                reach = replace(self.reach, ssh_config=Path(kind[1])) if kind[1] else self.reach
                self._ways[kind] = transports.way(host.transport, reach)
        return self._ways[kind](host)

    def afresh(self) -> Connectors:
        """The same, which read files anew: who works for long must heed a host key that was taken back."""
        return replace(self, _ways={}, _turn=threading.Lock())

    def check(self, hosts: Iterable[Host]) -> None:
        """UsageError for a host that no transport can be asked to reach; nothing is connected."""
        for host in hosts:
            self.connector(host)
