"""Key `serve: oidc:` of config.yaml: the provider of OpenID Connect that vouches for people."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from memrunbook.core.errors import Problem
from memrunbook.documents.named_files import FilesNamed
from memrunbook.documents.source import Source

SCOPES = ("openid", "email")
Word = Annotated[str, Meta(pattern=r"^[!-~]+$", max_length=200)]


class OidcSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`serve: oidc`: where the provider is, and how these pages are known there."""

    issuer: Annotated[
        str, Meta(min_length=1, max_length=500, description="its address, as its tokens name it: https://…")
    ]
    client_id: Annotated[Word, Meta(description="the name under which these pages are registered there")]
    client_secret_file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="a file whose first line is the secret of this client; none for a public client"),
    ] = None
    claim: Annotated[
        Word, Meta(description="what of a token is the name of a person; an email counts where it is verified")
    ] = "email"
    scopes: Annotated[tuple[Word, ...], Meta(description="what is asked of the provider")] = SCOPES


@dataclass(frozen=True)
class Oidc:
    """The same, checked."""

    issuer: str
    client_id: str
    secret_file: Path | None = None
    claim: str = "email"
    scopes: tuple[str, ...] = SCOPES


def oidc_of(source: Source, spec: OidcSpec | None, files: FilesNamed) -> Oidc | None:
    """The provider; what is wrong with it is added to the problems."""
    if spec is None:
        return None
    at = ("serve", "oidc")
    if not is_safe(spec.issuer) or urlsplit(spec.issuer).query or urlsplit(spec.issuer).fragment:
        hint = "as its tokens name it: https://login.example.com/realm; http alone for 127.0.0.1 and localhost"
        files.problems.append(Problem(source.where((*at, "issuer")), f"{spec.issuer!r} is no safe address", hint))
    if "openid" not in spec.scopes:
        hint = "scopes: [openid, email]"
        files.problems.append(Problem(source.where((*at, "scopes")), "without openid there is no token", hint))
    secret = files.one_at((*at, "client_secret_file"), spec.client_secret_file)
    return Oidc(spec.issuer, spec.client_id, secret, spec.claim, spec.scopes)


def is_safe(address: str) -> bool:
    """True where nobody on the way reads or changes what comes from there: https, or this very machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not address.isascii() or not address.isprintable() or " " in address or parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
