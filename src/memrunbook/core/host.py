"""Hosts: how an operator names them, and who they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from memrunbook.core.errors import UsageError
from memrunbook.core.ranges import names_in

LOCAL = "local"
TARGET = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?P<name>\[[0-9a-fA-F:.%\w]+\]|[A-Za-z0-9_][\w.-]*)(?::(?P<port>\d{1,5}))?"
)
SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""The name of a site."""
MOST_HOSTS = 50_000
LAST_PORT = 65535
Sudo = Literal["", "always", "never"]
Criticality = Literal["", "low", "medium", "high", "critical"]


class ProtectedUnit(Struct, frozen=True):
    """A shell pattern of units that nothing may act on, and the `file:line` that says so."""

    pattern: str
    where: str


class HostParameter(Struct, frozen=True):
    """A parameter that a runbook (empty: each that has one of this name) gets on one host, as text, and its line."""

    runbook: str
    name: str
    value: str
    where: str


class Host(Struct, frozen=True):
    """A host as the operator named it, and how to reach it; an empty user and port 0 mean: as ssh would.

    `source` is the path of the recording that stands for it, where it is one. `tags` are what its operator says of it.
    `host_key_sha256` is the fingerprint that its host key must have (`SHA256:…`; several with commas), empty: see
    known_hosts.
    The rest is what an inventory says: `address` is the name or address that ssh is given instead of its name,
    `ssh_args` are words for ssh's command line, `peers` the hosts that must not be disturbed together with it,
    `site` the place that it is reached from, `where` the `file:line` that names it, `named` how it is named on a
    command line, and `refused` says why it cannot be worked with, `hint` what to do about that. One that is `unlisted`
    was named beside an inventory that has it not.
    """

    name: str
    user: str = ""
    port: int = 0
    transport: str = "ssh"
    source: str = ""
    tags: tuple[str, ...] = ()
    host_key_sha256: str = ""
    address: str = ""
    identities: tuple[str, ...] = ()
    ssh_args: tuple[str, ...] = ()
    sudo: Sudo = ""
    groups: tuple[str, ...] = ()
    criticality: Criticality = ""
    peers: tuple[str, ...] = ()
    protected_units: tuple[ProtectedUnit, ...] = ()
    parameters: tuple[HostParameter, ...] = ()
    where: str = ""
    named: str = ""
    refused: str = ""
    hint: str = ""
    unlisted: bool = False
    site: str = ""

    @property
    def typed(self) -> str:
        """The host as it is named on a command line: `[user@]name[:port]`; one of an inventory by its name there."""
        if self.named:
            return self.named
        name = f"[{self.name}]" if ":" in self.name else self.name
        user, port = f"{self.user}@" if self.user else "", f":{self.port}" if self.port else ""
        return f"{user}{name}{port}"


class HostIdentity(Struct, frozen=True):
    """What tells this host, in this boot, from any other; empty where it could not be had."""

    address: str = ""
    host_key: str = ""
    machine_id: str = ""
    boot_id: str = ""
    user: str = ""


def parse_hosts(words: Iterable[str]) -> list[Host]:
    """Reads `[user@]name[:port]`, comma lists and ranges (`web[01:20]`), each host once; UsageError for the rest."""
    found: dict[Host, None] = {}
    for word in words:
        if not word.strip(", "):
            raise UsageError(f"{word!r} names no host", where="--host", hint="write [user@]name[:port], or local")
    for name in (name for word in words for part in word.split(",") if part for name in expanded(part)):
        found[parse_host(name)] = None
        if len(found) > MOST_HOSTS:
            raise UsageError(f"more than {MOST_HOSTS} hosts are named")
    return list(found)


def expanded(word: str) -> Iterator[str]:
    """The names that a word of a command line stands for; UsageError for a range that stands for none."""
    try:
        yield from names_in(word)
    except ValueError as error:
        raise UsageError(str(error), where=f"--host {word}") from None


def parse_host(word: str) -> Host:
    """Reads one `[user@]name[:port]`; UsageError for what is no host."""
    if word == LOCAL:
        return Host(LOCAL, transport=LOCAL)
    match = TARGET.fullmatch(word)
    if match is None or int(match["port"] or 0) > LAST_PORT:
        raise UsageError(f"{word!r} is no host", where="--host", hint="write [user@]name[:port], or local")
    return Host(match["name"].strip("[]"), match["user"] or "", int(match["port"] or 0))
