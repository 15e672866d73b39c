"""Where a connection goes, as whom and over which hosts: what was typed and what the configuration says, together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from memrunbook.core.errors import HostError, Unreachable, UsageError
from memrunbook.core.host import Host
from memrunbook.transports.shared.known_hosts import KIND, pins_of
from memrunbook.transports.shared.reach import JUMP_HOST
from memrunbook.transports.shared.ssh_arguments import lines_of
from memrunbook.transports.shared.ssh_options import SshOptions
from memrunbook.transports.shared.ssh_settings import PORT, HostSettings, Jump
from memrunbook.transports.shared.tcp import Dialling
from memrunbook.transports.shared.this_user import named_user

MOST_JUMPS = 8
_ITSELF = re.compile(r"\bthe host\b(?! key| CA)")

E = TypeVar("E", bound=HostError)


@dataclass(frozen=True)
class Target:
    """Where a connection goes and as whom; `via` is the last host on the way there. `pins` are its only right keys.

    A jump host has the name by which it is `called`, and is `jump_of` the host that is wanted.
    """

    where: str
    address: str
    port: int
    user: str
    identities: tuple[Path, ...]
    settings: HostSettings
    via: Target | None = None
    pins: tuple[str, ...] = ()
    called: str = ""
    jump_of: str = ""

    @property
    def label(self) -> str:
        """What it is called where something is said of it as a jump host."""
        place = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        return place if self.called in ("", self.address) else f"{self.called} ({place})"

    @property
    def dialling(self) -> Dialling:
        """The TCP connection that leads there."""
        return Dialling(self.address, self.port, self.settings.bind_address, self.settings.family)

    def unconnected(self, why: str) -> Unreachable:
        """That the jump host before it could not connect to it."""
        by = f"the jump host {self.via.label}" if self.via else "the jump host"
        error = Unreachable(
            f"{by} could not connect to {self.address} port {self.port}: {why}",
            where=self.where,
            hint=f"is that the name and the port by which {self.via.called if self.via else 'it'} knows the host? "
            "a jump host resolves names by itself",
        )
        error.stage = "TCP"
        return error

    def told(self, error: E) -> E:
        """An error at this host in the words of who wants the host behind it: a jump host is named as what it is."""
        if not self.jump_of or error.stage == JUMP_HOST:
            return error
        message, hint = _ITSELF.sub("it", error.message), _ITSELF.sub("the jump host", error.hint)
        told = type(error)(f"the jump host {self.label}: {message}", where=self.jump_of, hint=hint)
        told.stage = JUMP_HOST
        return told

    @property
    def known_name(self) -> str:
        """The name under which known_hosts files know the host."""
        if self.settings.host_key_alias:
            return self.settings.host_key_alias
        name = self.address.lower()
        return name if self.port == PORT else f"[{name}]:{self.port}"

    @property
    def command(self) -> str:
        """The ProxyCommand that leads there, with its keyword; empty where there is none."""
        return next((one for one in self.settings.beyond if one.startswith("ProxyCommand")), "")

    def door(self, address: str = "") -> str:
        """Where connections to it arrive: by the `address` of its name, the command, or what it is behind."""
        if self.command:
            return self.command
        behind = f" behind {self.via.door()}" if self.via else ""
        return f"{address or self.address}:{self.port}{behind}"

    @property
    def open_already(self) -> bool:
        """Whether a connection of the user's to it is open (ControlMaster)."""
        return bool(self.settings.control_path) and Path(self.settings.control_path).is_socket()

    @property
    def unseen(self) -> bool:
        """Whether OpenSSH's client tells nothing of the way to it: a command leads there, or what the user has open."""
        return bool(self.command) or self.open_already

    @property
    def scan(self) -> str:
        """The command that shows the host's keys as lines of known_hosts; empty where it is not reached directly."""
        if self.via or self.command:
            return ""
        alias = self.settings.host_key_alias
        named = f" | sed 's/^[^ ]*/{alias}/'" if alias else ""
        return f"ssh-keyscan -t {KIND} -p {self.port} {self.address}{named}"

    @property
    def way(self) -> tuple[Target, ...]:
        """It and the hosts on the way to it, the nearest to us first."""
        return (*self.via.way, self) if self.via else (self,)

    @property
    def said(self) -> str:
        """In words where this leads."""
        by = f", through {', '.join(hop.address for hop in self.way[:-1])}" if self.via else ""
        alias = f", its key as {self.known_name}" if self.settings.host_key_alias else ""
        return f"{self.user}@{self.address} port {self.port}{by}{alias}"


def find_target(host: Host, options: SshOptions) -> Target:
    """UsageError or Unreachable where that cannot be said.

    As Ansible does, ssh is asked for the address that an inventory gives, not for the host's name there.
    """
    named = Jump(host.address or host.name, host.user, host.port, lines_of(host.ssh_args, host.name))
    target = _target(named, options, host.name)
    own = tuple(Path(path) for path in host.identities)
    identities = tuple(dict.fromkeys((*options.identities, *own, *target.identities)))
    return replace(target, identities=identities, pins=pins_of(host.host_key_sha256, host.name))


def _target(to: Jump, options: SshOptions, final: str, before: tuple[Jump, ...] = (), depth: int = 0) -> Target:
    """`before` are the hosts on the way where they were listed, as `ssh -J` nests them; else its own ones."""
    if depth > MOST_JUMPS:
        raise UsageError(f"the jump hosts lead on and on: more than {MOST_JUMPS}", where=final)
    where = f"{to.name} (jump host of {final})" if depth else final
    settings = options.resolver.settings(to.name, to.user, to.port, to.lines)
    jumps = before or settings.jumps
    return Target(
        where=where,
        address=settings.host_name or to.name,
        port=to.port or settings.port or PORT,
        user=to.user or settings.user or _own_name(where),
        identities=tuple(dict.fromkeys((*options.identities, *settings.identity_files))),
        settings=settings,
        via=_target(jumps[-1], options, final, jumps[:-1], depth + 1) if jumps else None,
        called=to.name,
        jump_of=final if depth else "",
    )


def _own_name(where: str) -> str:
    if name := named_user():
        return name
    why = "as whom? this uid has no name here"
    raise UsageError(why, where=where, hint="write USER@HOST, or User in the ssh configuration")


def through(way: Iterable[Target]) -> str:
    """The jump hosts of a way in words."""
    return ", then ".join(hop.label for hop in way)


def still_to_go(target: Target) -> tuple[Target, ...]:
    """What of the way is gone anew: what is behind the last jump host to which the user has a connection."""
    way = target.way
    return way[max((number for number, hop in enumerate(way[:-1], start=1) if hop.open_already), default=0) :]
