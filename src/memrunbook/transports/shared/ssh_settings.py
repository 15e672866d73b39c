"""What the configuration of ssh says of one host, and how `ssh -G` prints that."""

from __future__ import annotations

import os
import pwd
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from memrunbook.transports.shared.ssh_algorithms import ANY, Algorithms, algorithms_of

PORT = 22
DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa")
"""The key files of ~/.ssh that are tried where none is named."""
NONE = "none"
KEYS_BARRED = ("PubkeyAuthentication ", "PreferredAuthentications ")
"""What is left to OpenSSH's client where no key may be shown."""
Family = Literal["any", "inet", "inet6"]

_TOKEN = re.compile(r"%(.)|\$\{(\w+)\}|%$")
_UNQUOTED = re.compile(r"\s+(?=[/~])")
_BEYOND: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("proxycommand", "ProxyCommand", (NONE,)),
    ("knownhostscommand", "KnownHostsCommand", (NONE,)),
    ("pkcs11provider", "PKCS11Provider", (NONE,)),
    ("revokedhostkeys", "RevokedHostKeys", (NONE,)),
    ("bindinterface", "BindInterface", (NONE,)),
    ("verifyhostkeydns", "VerifyHostKeyDNS", ("no", "false", "ask")),
    ("pubkeyauthentication", "PubkeyAuthentication", ("yes", "true", "unbound", "host-bound")),
)
"""What is left to OpenSSH's client: how it is printed, how it is written, and the values that ask for nothing."""


@dataclass(frozen=True)
class Jump:
    """A host on the way to another; an empty user and port 0 mean: as its own configuration says."""

    name: str
    user: str = ""
    port: int = 0
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostSettings:
    """What holds for a host; empty where nothing is said.

    `known_hosts` are the user's files and the system's. `agent` is the path of a socket, "none", or empty for the one
    of the environment. `beyond` are the keywords, with their values, that only OpenSSH's client can honour; `gssapi`
    and `hostbased` are logins that it could try where keys are refused, and at `control_path` a connection of its may
    wait. `overruled` are options that would keep us from following it, as it is told them.
    """

    host_name: str = ""
    user: str = ""
    port: int = 0
    lines: tuple[str, ...] = ()
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    certificates: tuple[Path, ...] = ()
    agent: str = ""
    known_hosts: tuple[Path, ...] = ()
    host_key_alias: str = ""
    jumps: tuple[Jump, ...] = ()
    bind_address: str = ""
    family: Family = "any"
    gssapi: bool = False
    hostbased: bool = False
    control_path: str = ""
    beyond: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()
    algorithms: Algorithms = ANY


Printed = Mapping[str, Sequence[str]]
"""Values by their keyword in small letters, as `ssh -G` prints them: the first one holds, key files add up."""


def read_printed(printed: str) -> Printed:
    """What `ssh -G` printed."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in printed.splitlines():
        keyword, _, value = line.partition(" ")
        found[keyword.lower()].append(value.strip())
    return found


def settings_of(found: Printed, name: str, me: str) -> HostSettings:
    """What holds for a host, where `me` is who asks; ValueError where a host on the way is not understood."""
    host_name, user, port = _first(found, "hostname") or name, _first(found, "user"), int(_first(found, "port") or 0)
    alias = _first(found, "hostkeyalias")
    tokens = _own_tokens(me) | {
        "h": host_name, "k": alias or name, "n": name, "p": str(port or PORT), "r": user or me,
    }  # fmt: skip
    identities, strange = expanded(found.get("identityfile", ()), tokens)
    certificates, stranger = expanded(found.get("certificatefile", ()), tokens)
    known = (_first(found, "userknownhostsfile"), _first(found, "globalknownhostsfile"))
    return HostSettings(
        host_name=host_name,
        user=user,
        port=port,
        identity_files=identities,
        identities_only=_yes(found, "identitiesonly"),
        certificates=certificates,
        agent=_agent(next(iter(found.get("identityagent", ())), ""), tokens),
        known_hosts=tuple(path for files in known for path in _files(files, tokens)),
        host_key_alias=alias,
        jumps=tuple(_named(jump, tokens) for jump in parse_jumps(_first(found, "proxyjump"))),
        bind_address=_first(found, "bindaddress"),
        family=_family(_first(found, "addressfamily")),
        gssapi=_yes(found, "gssapiauthentication"),
        hostbased=_yes(found, "hostbasedauthentication"),
        control_path=_first(found, "controlpath"),
        beyond=(*_beyond(found), *strange, *stranger),
        overruled=tuple(_overruled(found)),
        algorithms=algorithms_of(found),
    )


def _first(found: Printed, keyword: str) -> str:
    value = next(iter(found.get(keyword, ())), "")
    return "" if value.lower() == NONE else value


def _yes(found: Printed, keyword: str) -> bool:
    return _first(found, keyword).lower() in ("yes", "true")


def _own_tokens(me: str) -> dict[str, str]:
    """Those tokens of ssh_config(5) that are the same for all hosts, by their letter."""
    node = os.uname().nodename
    return {
        "%": "%", "d": str(home()), "i": str(os.getuid()), "L": node.partition(".")[0], "l": node, "u": me,
    }  # fmt: skip


def home() -> Path:
    """The folder that `~` stands for in ssh: the one of the user database, whatever $HOME says."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path.home()


def expanded(values: Sequence[str], tokens: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The paths that these values stand for, and the values with a token that only OpenSSH's client knows."""
    paths: dict[Path, None] = {}
    strange = []
    for value in values:
        if value.lower() == NONE:
            continue
        try:
            paths[_path(value, tokens)] = None
        except KeyError:
            strange.append(value)
    return tuple(paths), tuple(strange)


def _path(value: str, tokens: Mapping[str, str]) -> Path:
    """KeyError for a token or a variable that is not known."""
    text = _TOKEN.sub(lambda found: os.environ[found[2]] if found[2] else tokens[found[1] or ""], value)
    if text == "~" or text.startswith("~/"):
        return home() / text[2:]
    return Path(os.path.expanduser(text))  # noqa: PTH111  ~other, and names that no user has stay as they are


def _files(value: str, tokens: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of a list that ssh prints without the quotes that it was written with."""
    whole = _UNQUOTED.split(value) if value else []
    words = [part for one in whole for part in ([one] if one[0] in "/~" else one.split())]
    return expanded([word for word in words if word], tokens)[0]


def _agent(value: str, tokens: Mapping[str, str]) -> str:
    if value.lower() == NONE or value in ("", "SSH_AUTH_SOCK"):
        return value.lower() if value.lower() == NONE else ""
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), NONE)
    paths, _ = expanded([value], tokens)
    return str(paths[0]) if paths else value


def _family(value: str) -> Family:
    return "inet6" if value == "inet6" else "inet" if value == "inet" else "any"


def _beyond(found: Printed) -> Iterator[str]:
    for printed, written, nothing in _BEYOND:
        value = next(iter(found.get(printed, [])), "")
        if value and value.lower() not in nothing:
            yield f"{written} {value}"
    methods = next(iter(found.get("preferredauthentications", [])), "")
    if methods and "publickey" not in methods.split(","):
        yield f"PreferredAuthentications {methods}"


def _overruled(found: Printed) -> Iterator[str]:
    if _yes(found, "forkafterauthentication"):
        yield "ForkAfterAuthentication=no"  # what follows it would not be our child
    if _first(found, "logverbose"):
        yield "LogVerbose=none"  # it writes its log in other lines


def _named(jump: Jump, tokens: Mapping[str, str]) -> Jump:
    """A jump host with the tokens that its name and user may have (%h, %n, %p, %r) filled in."""

    def filled(text: str) -> str:
        return _TOKEN.sub(lambda token: tokens.get(token[1] or "", token[0]), text)

    return replace(jump, name=filled(jump.name), user=filled(jump.user))


def parse_jumps(value: str) -> tuple[Jump, ...]:
    """The hosts of a ProxyJump: `[ssh://][user@]host[:port]`, separated by commas. ValueError for anything else."""
    if not value or value.lower() == NONE:
        return ()
    return tuple(_jump(word.strip()) for word in value.split(","))


def _jump(word: str) -> Jump:
    rest = word.removeprefix("ssh://").rstrip("/") if word.startswith("ssh://") else word
    user, _, place = rest.rpartition("@")
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:\[\]]+)(?::(\d{1,5}))?|([0-9a-fA-F:.%\w]+)", place)
    if match is None:
        raise ValueError(f"{word!r} is no [user@]host[:port]")
    name = match[1] or match[3] or match[5]
    return Jump(name, user, int(match[2] or match[4] or 0))
