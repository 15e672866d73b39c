"""How hosts are reached: what the operator says once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.host import Host
from memrunbook.runtime.ports import Connector
from memrunbook.transports.shared.shell import SudoMode
from memrunbook.transports.shared.sudo import SudoPassword

Way = Callable[[Host], Connector]
"""What a transport makes of a `Reach`: a connector for each host, with whatever all hosts share read once."""


def nobody_listens(host: str, what: str, seconds: float) -> None:
    """The usual listener of a wait: there is nobody to tell it to."""


JUMP_HOST = "jump host"
STAGES = ("configuration", "transport", JUMP_HOST, "name", "TCP", "SSH", "host key", "login", "shell", "sudo")
"""What stands between here and root on a host, in the order in which it is met; most hosts have no jump host."""


OWN_CLIENT = "the engine's own SSH client"
"""What is told of the stage `transport` where nothing else is needed."""


def nobody_follows(host: str, stage: str, said: str) -> None:
    """The usual follower of a way: there is nobody to tell it to."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Empty values mean: as `ssh` would.

    `patience` is how long a slow host is waited for, in seconds (None: as long as the transport finds usual), and
    `read_patience` how long a read of it may take (0: as long as usual).
    `waiting(host, what, seconds)` is told about four times a second what is waited for; raising ends the wait.
    `passed(host, stage, said)` is told of each stage of `STAGES` that was passed, on the way to a host.
    """

    identities: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    accept_new_host_keys: bool = False
    sudo: SudoMode = "auto"
    patience: float | None = None
    read_patience: float = 0.0
    waiting: Callable[[str, str, float], None] = nobody_listens
    passed: Callable[[str, str, str], None] = nobody_follows
    sudo_password: SudoPassword | None = None
