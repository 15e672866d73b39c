"""Hosts: how an operator names them, and who they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from memrunbook.core.errors import UsageError

LOCAL = "local"
TARGET = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?P<name>\[[0-9a-fA-F:.%\w]+\]|[A-Za-z0-9_][\w.-]*)(?::(?P<port>\d{1,5}))?"
)
RANGE = re.compile(r"\[(\d+):(\d+)\]")
MOST_HOSTS = 50_000
LAST_PORT = 65535


class Host(Struct, frozen=True):
    """A host as the operator named it, and how to reach it; an empty user and port 0 mean: as ssh would.

    `source` is the path of the recording that stands for it, where it is one. `tags` are what its operator says of it.
    `host_key_sha256` is the fingerprint that its host key must have (`SHA256:…`; several with commas), empty: see
    known_hosts.
    """

    name: str
    user: str = ""
    port: int = 0
    transport: str = "ssh"
    source: str = ""
    tags: tuple[str, ...] = ()
    host_key_sha256: str = ""

    @property
    def typed(self) -> str:
        """The host as it is named on a command line: `[user@]name[:port]`."""
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
    names = (name for word in words for part in word.split(",") if part for name in _expand(part))
    found: dict[Host, None] = {}
    for name in names:
        found[_parse(name)] = None
        if len(found) > MOST_HOSTS:
            raise UsageError(f"more than {MOST_HOSTS} hosts are named")
    return list(found)


def _expand(word: str) -> Iterable[str]:
    match = RANGE.search(word)
    if match is None:
        return [word]
    first, last = int(match[1]), int(match[2])
    if last < first or last - first >= MOST_HOSTS:
        raise UsageError(f"the range {match[0]} is empty or too large", where=f"--host {word}")
    width = len(match[1])
    numbered = (f"{word[: match.start()]}{number:0{width}}{word[match.end() :]}" for number in range(first, last + 1))
    return [name for one in numbered for name in _expand(one)]


def _parse(word: str) -> Host:
    if word == LOCAL:
        return Host(LOCAL, transport=LOCAL)
    match = TARGET.fullmatch(word)
    if match is None or int(match["port"] or 0) > LAST_PORT:
        raise UsageError(f"{word!r} is no host", where="--host", hint="write [user@]name[:port], or local")
    return Host(match["name"].strip("[]"), match["user"] or "", int(match["port"] or 0))
