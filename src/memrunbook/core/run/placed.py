"""What a control node has workers do: a run as it was invoked, and its part on each host. Types alone."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.core.host import Host
from memrunbook.core.run.record import EVENT, Actor, Invoked

PartState = Literal[
    "waiting",  # nobody has begun it
    "running",  # a worker is at it, or was: another one goes on where that one is gone
    "ended",  # it has come to its end, or to one that it can be gone on with
    "withdrawn",  # it was taken back before anybody had begun it
]


class PlacedRun(Struct, frozen=True, kw_only=True, tag="run"):
    """A run that workers carry out, as far as each of them must know it.

    `invoked` is what that node wrote down of it first; its `order` names no hosts, each part has its own. `consents`
    are the words that were allowed beforehand: workers heed those on freezes, every gate is asked where it was ordered.
    `hosts` is how many hosts it is for in all.
    The rest is as of `RunArguments`.
    """

    invoked: Invoked
    hosts: int = 1
    consents: tuple[str, ...] = ()
    break_lock: bool = False
    history: bool = True
    waits: bool = False
    unblocks: bool = False
    lock_patience: float = 0.0


class PlacedLook(Struct, frozen=True, kw_only=True, tag="look"):
    """Hosts that workers read and judge; nothing is changed. `actor` is who asks for it, from which node.

    Judged is by all runbooks, or by the one that is named, which is planned then. The rest is as of `DiagnoseArguments`
    and `PlanArguments`; `full` and `printed` say how much of each host is told.
    """

    actor: Actor
    runbook: str = ""
    digest: str = ""
    parameters: dict[str, str] = {}
    watch: float | None = None
    quick: bool = False
    history: bool = True
    besides: tuple[str, ...] = ()
    waits: bool = False
    full: bool = False
    printed: bool = False


Placed = PlacedRun | PlacedLook


class PlacedPart(Struct, frozen=True, kw_only=True):
    """What of an order one worker of a site does: a run on one host, whose id it has, or a look at some hosts."""

    id: str
    place: int
    hosts: tuple[Host, ...]

    @property
    def site(self) -> str:
        """Whose workers may do it."""
        return site_of(self.hosts[0])


class PartResult(Struct, frozen=True):
    """What of a part its records do not say: the consents that it used."""

    used: tuple[str, ...] = ()


LOOKS = "look/"
"""Before the site of a queue of hosts that are only read."""

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
    return host.site or ANYWHERE
