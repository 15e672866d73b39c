"""Keys of config.yaml: how the pages of `runbook serve` are reached, who may what, how long a session lasts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from memrunbook.core.errors import Problem
from memrunbook.core.units import HOUR, MINUTE, Duration, format_duration
from memrunbook.documents.named_files import FilesNamed
from memrunbook.documents.oidc import Oidc, OidcSpec, oidc_of
from memrunbook.documents.remembered import usual
from memrunbook.documents.roles import Roles, RolesSpec, roles_of
from memrunbook.documents.source import Source

IDLE, LIFETIME = 30 * MINUTE, 12 * HOUR
SHORTEST, LONGEST = MINUTE, 7 * 24 * HOUR
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class ServeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`serve`: how the pages are reached, who may what there, and how long a session lasts."""

    names: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...],
        Meta(description="names under which a browser reaches the pages, beside the address itself and localhost"),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=45)], ...],
        Meta(description="addresses of proxies that speak TLS; where one is named nobody else is answered"),
    ] = ()
    proxy_header: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="a header in which a trusted proxy names who asks, as in X-Forwarded-User"),
    ] = None
    oidc: Annotated[OidcSpec | None, Meta(description="who vouches for people: a provider of OpenID Connect")] = None
    roles: Annotated[RolesSpec | None, Meta(description="who may what; nobody by a name where it is left out")] = None
    idle: Annotated[Duration | None, usual("a session ends when nothing was asked for so long", IDLE)] = None
    lifetime: Annotated[Duration | None, usual("a session ends so long after its sign-in", LIFETIME)] = None
    token_file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="a file whose first line is the token of programs, for /metrics and /api"),
    ] = None
    alerts_token_file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="a file whose first line is the token of who posts alerts to /alerts; without it nobody may"),
    ] = None


@dataclass(frozen=True)
class Serving:
    """What config.yaml says of the pages; times in seconds."""

    names: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    proxy_header: str = ""
    oidc: Oidc | None = None
    roles: Roles = field(default_factory=Roles)
    idle: float = IDLE
    lifetime: float = LIFETIME
    token_file: Path | None = None
    alerts_token_file: Path | None = None


def serving_of(source: Source, spec: ServeSpec | None, files: FilesNamed) -> Serving:
    """The same, checked; what is wrong with it is added to the problems."""
    if spec is None:
        return Serving()
    problems = files.problems
    for number, name in enumerate(spec.names):
        if not NAME.fullmatch(name):
            where = source.where(("serve", "names", number))
            problems.append(
                Problem(where, f"{name!r} is no name of a host", "without scheme and port: runbook.example")
            )
    proxies = tuple(_address(source, number, one, problems) for number, one in enumerate(spec.trusted_proxies))
    times = {"idle": (spec.idle, IDLE), "lifetime": (spec.lifetime, LIFETIME)}
    for key, (given, _) in times.items():
        if given is not None and not SHORTEST <= given <= LONGEST:
            hint = f"from {format_duration(SHORTEST)} to {format_duration(LONGEST)}"
            problems.append(
                Problem(source.where(("serve", key)), f"{format_duration(given)} is no time for that", hint)
            )
    idle, lifetime = (usual if given is None else float(given) for given, usual in times.values())
    tokens = files.some_in("serve", "token_file", spec.token_file)
    alerts = files.some_in("serve", "alerts_token_file", spec.alerts_token_file)
    return Serving(
        names=tuple(name.lower() for name in spec.names),
        trusted_proxies=proxies,
        proxy_header=_header(source, spec, problems),
        oidc=oidc_of(source, spec.oidc, files),
        roles=roles_of(source, spec.roles, problems),
        idle=idle,
        lifetime=lifetime,
        token_file=tokens[0] if tokens else None,
        alerts_token_file=alerts[0] if alerts else None,
    )


def _header(source: Source, spec: ServeSpec, problems: list[Problem]) -> str:
    header, where = spec.proxy_header or "", source.where(("serve", "proxy_header"))
    if header and not HEADER.fullmatch(header):
        problems.append(Problem(where, f"{header!r} is no name of a header", "write it alone, as in X-Forwarded-User"))
    elif header and not spec.trusted_proxies:
        hint = "trusted_proxies: [ADDRESS], and the proxy must remove that header from what browsers send"
        problems.append(Problem(where, "anybody could send this header: no proxy is trusted", hint))
    return header


def _address(source: Source, number: int, given: str, problems: list[Problem]) -> str:
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        where = source.where(("serve", "trusted_proxies", number))
        problems.append(Problem(where, f"{given!r} is no address", "write its IP address, as in 10.0.0.7"))
        return given
