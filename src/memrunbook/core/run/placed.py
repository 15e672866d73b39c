"""What a control node has workers do: a run as it was invoked, and its part on each host. Types alone."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.core.host import Host
from memrunbook.core.run.record import EVENT, Invoked

PartState = Literal[
    "waiting",  # nobody has begun it
    "running",  # a worker is at it, or was: another one goes on where that one is gone
    "ended",  # it has come to its end, or to one that it can be gone on with
    "withdrawn",  # it was taken back before anybody had begun it
]


class PlacedRun(Struct, frozen=True, kw_only=True):
    """A run that workers carry out, as far as each of them must know it: `run` is its id on the node that asks.

    `invoked` is what that node wrote down of it first; its `order` names no hosts, each part has its own. `consents`
    are the words that were allowed beforehand: workers heed those on freezes, every gate is asked where it was ordered.
    The rest is as of `RunArguments`.
    """

    run: str
    invoked: Invoked
    consents: tuple[str, ...] = ()
    break_lock: bool = False
    history: bool = True
    waits: bool = False
    unblocks: bool = False
    lock_patience: float = 0.0


class PlacedPart(Struct, frozen=True, kw_only=True):
    """What of a run is done on one host, by whichever worker of its site: `id` is the id of the run that does it."""

    id: str
    place: int
    host: Host

    @property
    def site(self) -> str:
        """Whose workers may do it."""
        return site_of(self.host)


class PartResult(Struct, frozen=True):
    """What of a part its records do not say: the consents that it used."""

    used: tuple[str, ...] = ()


PART_SAID = "said"
"""The word of a line that is no record of a journal, and stands among those that are told."""


class PartSaid(Struct, frozen=True, kw_only=True, tag_field=EVENT, tag=PART_SAID):
    """What a worker says of a part beside its records: what the host `waits` for, or a remark with its hint."""

    waits: str = ""
    remark: str = ""
    hint: str = ""


ANYWHERE = "default"
"""The site of hosts whose inventory names none, and of workers that are started without."""


def site_of(host: Host) -> str:
    """The site of a host."""
    return getattr(host, "site", "") or ANYWHERE
