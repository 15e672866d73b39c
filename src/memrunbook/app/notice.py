"""What a use case tells meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from memrunbook.core.host import Host
    from memrunbook.core.reading.snapshot import Snapshot
    from memrunbook.core.run.report import Reported
    from memrunbook.core.run.request import Request
    from memrunbook.runtime.life import Life

    HostEnd = Reported | Literal["read"]

R = TypeVar("R")


class Notice:
    """Listens to a use case; this one is silent. Methods are called from several threads and must not raise.

    `first_look` says whether `first` wants to be told: parsing the first sample of every host has its price.
    """

    first_look = False

    def reading(self, hosts: Sequence[Host], count: int, every: float, *, watching: bool) -> None:
        """Hosts are about to be read: `count` samples, `every` seconds apart."""

    def first(self, snapshot: Snapshot) -> None:
        """The first sample of a host is there, before the sample interval passes; rates are unknown in it."""

    def read(self) -> None:
        """The hosts have been read, or reading them has ended otherwise."""

    def connecting(self, host: str) -> None:
        """A host is about to be connected to."""

    def asked(self, host: str, request: Request) -> None:
        """A host is asked for something, by a run or by whoever reads it."""

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        """Nothing more is done on a host."""

    def batch(self, number: int, count: int, hosts: Sequence[Host]) -> None:
        """A batch of a run begins, the `number`th (from 1) of `count`, with these hosts."""

    def not_begun(self, hosts: Sequence[str], why: str) -> None:
        """These hosts of a run were not begun, since too many others had failed."""

    def waits(self, host: str, why: str) -> None:
        """A host waits for another one's turn to end; told at each look."""

    def remark(self, words: str, hint: str) -> None:
        """Something that a person should know, and that changes nothing of the result."""

    def recorded(self, record: Mapping[str, Any]) -> None:
        """A record was written to a host's journal, as it stands there."""

    def lives(
        self, life: Callable[[Host], Life[R]], end: Callable[[R], tuple[HostEnd, str]] | None = None
    ) -> Callable[[Host], Life[R]]:
        """Lives whose beginning and `end` (the outcome and why; without it: read) are told."""

        def told(host: Host) -> Life[R]:
            self.connecting(host.name)
            found = yield from life(host)
            self.ended(host.name, *(end(found) if end is not None else ("read", "")))
            return found

        return told


SILENT = Notice()
