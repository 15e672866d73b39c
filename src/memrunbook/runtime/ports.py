"""The ports of the runtime: what it needs from the outside, as protocols of one to four members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from memrunbook.core.action.action import Change
from memrunbook.core.errors import Refused
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.series import Series
from memrunbook.core.run.record import Envelope
from memrunbook.core.run.request import Approval, AskApproval


class Output(Struct, frozen=True):
    """What a script printed (stdout and stderr, bounded), and how it ended.

    `status` is None where it is not known: the deadline passed (`timed_out`), shell or connection ended (`lost`), or
    the output had no end (`truncated`). `ended` is True where the script was then killed and is proven to be gone.
    """

    status: int | None
    text: str
    seconds: float = 0.0
    truncated: bool = False
    timed_out: bool = False
    lost: bool = False
    ended: bool = False


class Session(Protocol):
    """One open POSIX shell on a host, for a whole run."""

    @property
    def identity(self) -> HostIdentity:
        """Address, host key and user of this session; machine-id and boot-id come from the `host` fact."""

    @property
    def root(self) -> bool:
        """True when the shell runs as uid 0."""

    @property
    def no_root(self) -> str:
        """What sudo said when it was asked for root and gave none; empty where it did, or was not asked."""

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Runs a constant script with positional parameters in the shell; never raises for what the host does."""

    def close(self) -> None:
        """Ends the shell and the connection."""


class Connector(Protocol):
    """A way to reach a host."""

    def connect(self) -> Session:
        """Opens a session; raises HostError with what to do about it."""


class Clock(Protocol):
    """Time."""

    def now(self) -> Instant:
        """This moment."""

    def sleep(self, seconds: float) -> None:
        """Waits, for 0 s too; raises Interrupted once a person asked to stop."""


class Journal(Protocol):
    """What is remembered, on disk before it is carried out."""

    def append(self, envelope: Envelope) -> str:
        """Writes one record durably and returns its hash; raises JournalError where it cannot."""

    def save(self, name: str, text: str) -> tuple[str, str]:
        """Keeps a piece of evidence beside the journal; its path and SHA-256."""


class Approver(Protocol):
    """Who answers at the gates."""

    def approve(self, host: str, question: AskApproval) -> Approval:
        """The answer for exactly this question's digest."""


class Brakes(Protocol):
    """What is known of changes elsewhere and before; each method raises JournalError where that cannot be asked."""

    def forbids(self, change: Change) -> Refused | None:
        """Why this may not be changed now, whoever allows it: the switch, a freeze, config.yaml; None where it may."""

    def reasons(self, change: Change, besides: Sequence[str] = ()) -> tuple[str, ...]:
        """Why this change needs a person's word, whatever was allowed beforehand.

        What the runs `besides` began of it does not count: it is not known whether that happened.
        """

    def begin(self, change: Change, step: str, *, consented: bool, besides: Sequence[str] = ()) -> int | str:
        """Claims a change: its number, or in words who is at the same elsewhere.

        Raises Refused where it is beyond the limits by now and nobody `consented` to that.
        """

    def end(self, number: int, state: str) -> None:
        """Gives the claim back, with how the change ended."""


class Past(Protocol):
    """What is known of a host from earlier readings."""

    def series(self, host: str, machine: str, since: float) -> tuple[Series, ...]:
        """The series of a host from a moment on (seconds since 1970), of whatever name it was reached by."""

    def keep(self, host: str, machine: str, series: Sequence[Series]) -> None:
        """Adds points; those that it has already (same holder, figure and time) change nothing."""
