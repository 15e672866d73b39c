"""A provider of OpenID Connect on this machine, as honest or as wrong as a test wants it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.sshd import free_port

CLIENT, SECRET = "runbook-pages", "a secret of the client"
Claims = dict[str, Any]


def _key() -> Any:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})


@dataclass
class OidcProvider:
    """`change` makes of the claims those that it signs; `signer` what signs; `answers` replaces whole answers."""

    port: int = field(default_factory=free_port)
    person: str = "ada@example.com"
    change: Callable[[Claims], Claims] = dict
    token: Callable[[Claims], str] | None = None
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    key: Any = field(default_factory=_key)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def application(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._keys),
            ]
        )

    def _said(self, place: str) -> Response | None:
        self.asked.append(place)
        return self.answers[place]() if place in self.answers else None

    def _about(self, _request: Request) -> Response:
        about = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        return self._said("about") or JSONResponse(about)

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 303)

    async def _token(self, request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        other = self._said("token")
        if other is not None:
            return other
        asked = self.codes.pop(given.get("code", ""), None)
        told = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") not in (f"Basic {told}", f"Basic {plain}"):
            return JSONResponse({"error": "invalid_client"}, 401)
        proof = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != given["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "email": self.person, "email_verified": True,
        }  # fmt: skip
        claims = self.change(claims)
        signed = self.token(claims) if self.token is not None else self.signed(claims)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed})

    def signed(self, claims: Claims, key: Any = None, kid: str = "") -> str:
        """A token by RS256."""
        key = key or self.key
        header = {"alg": "RS256", "kid": kid or key.as_dict()["kid"]}
        return jwt.encode(header, claims, key, ["RS256"])

    def _keys(self, _request: Request) -> Response:
        return self._said("jwks") or JSONResponse({"keys": [self.key.as_dict(private=False)]})


def unsigned(claims: Claims) -> str:
    """A token that nobody signed."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def by_public_key(provider: OidcProvider, claims: Claims) -> str:
    """A token whose secret is the provider's public key, which everybody knows."""
    secret = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)))
    header = {"alg": "HS256", "kid": provider.key.as_dict()["kid"]}
    return jwt.encode(header, claims, secret, ["HS256"])


@contextmanager
def running(provider: OidcProvider) -> Iterator[OidcProvider]:
    """Answers on its port until it is over."""
    server = uvicorn.Server(
        uvicorn.Config(provider.application(), port=provider.port, log_config=None, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield provider
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
