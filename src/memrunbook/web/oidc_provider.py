"""Asks a provider of OpenID Connect who somebody is. Everything here waits: never in the server's own thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from memrunbook.documents.oidc import Oidc, is_safe
from memrunbook.documents.roles import PERSON

SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: neither none, nor by a secret that we have too."""
CONNECT, READ, WHOLE = 3.0, 5.0, 10.0
"""Seconds for a connection, for the next byte, and for an answer as a whole."""
LARGEST = 256 << 10
"""Bytes of an answer."""
FRESH = 3600.0
"""Seconds for which what the provider says of itself is believed."""
LEEWAY = 60
"""Seconds by which clocks may differ."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderError(Exception):
    """Why the provider vouches for nobody, in words for whoever wants to sign in."""


class _Bounded(OAuth2Session):  # type: ignore[misc]  # authlib has no types
    """Goes nowhere else, waits no longer and reads no more than it should."""

    def request(self, method: str, url: str, withhold_token: bool = False, auth: Any = None, **options: Any) -> Any:  # noqa: FBT001, FBT002
        options |= {"timeout": (CONNECT, READ), "allow_redirects": False, "stream": True}
        until, content = time.monotonic() + WHOLE, bytearray()
        with super().request(method, url, withhold_token=withhold_token, auth=auth, **options) as answer:
            for piece in answer.iter_content(1):
                content += piece
                if len(content) > LARGEST or time.monotonic() > until:
                    raise ProviderError("its answer is too long, or too slow")
        answer._content = bytes(content)  # noqa: SLF001  where requests keeps what was read
        if answer.is_redirect:
            raise ProviderError("it leads elsewhere")
        return answer


@dataclass
class Provider:
    """One, as config.yaml names it."""

    oidc: Oidc
    secret: str = field(default="", repr=False)
    _about: Mapping[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _until: float = 0.0

    def start(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in."""
        with self._session(redirect) as session:
            endpoint = self._told(session)["authorization_endpoint"]
            address, _ = session.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        return str(address)

    def person(self, code: str, redirect: str, nonce: str, verifier: str) -> str:
        """Who it is, whose code this is; ProviderError where it says of nobody that we may believe it."""
        with self._session(redirect) as session:
            endpoint = self._told(session)["token_endpoint"]
            try:
                token = str(session.fetch_token(endpoint, code=code, code_verifier=verifier).get("id_token", ""))
            except ProviderError:
                raise
            except AuthlibBaseError as error:
                raise ProviderError(f"it took no code: {plain_word(error.error)}") from None
            except (requests.RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
                raise ProviderError(f"what it gave is no token, {_reason(error)}") from None
            claims = self._claims(session, token)
        self._check(claims, nonce)
        return self._named(claims)

    def _session(self, redirect: str) -> _Bounded:
        return _Bounded(
            self.oidc.client_id, self.secret or None, scope=" ".join(self.oidc.scopes), redirect_uri=redirect,
            code_challenge_method="S256",
        )  # fmt: skip

    def _told(self, session: _Bounded) -> Mapping[str, Any]:
        """What it says of itself."""
        if not self._about or time.monotonic() > self._until:
            found = self._fetched(session, f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.oidc.issuer:
                raise ProviderError("it calls itself otherwise than issuer in config.yaml does")
            if not all(isinstance(found.get(one), str) and is_safe(found[one]) for one in ENDPOINTS):
                raise ProviderError("one of its addresses is missing, or not safe")
            self._about, self._keys, self._until = found, None, time.monotonic() + FRESH
        return self._about

    def _fetched(self, session: _Bounded, address: str) -> dict[str, Any]:
        try:
            answer = session.request("GET", address, withhold_token=True)
            if answer.status_code != requests.codes.ok:
                raise ProviderError(f"it answered {answer.status_code}")
            found = answer.json()
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise ProviderError(f"it gave no answer: {_reason(error)}") from None
        if not isinstance(found, dict):
            raise ProviderError("its answer is none that is known")
        return found

    def _claims(self, session: _Bounded, token: str) -> dict[str, Any]:
        """What the token says, where the provider signed it; its keys are asked for once more where they changed."""
        for again in (False, True):
            if self._keys is None or again:
                self._keys = self._fetched_keys(session)
            try:
                return dict(jwt.decode(token, self._keys, registry=JWSRegistry(None, SIGNED_BY, False)).claims)
            except Exception as error:  # noqa: BLE001  of what may be sent it throws whatever it likes
                if again:
                    raise ProviderError(f"its token is not signed as it should be: {type(error).__name__}") from None
        raise ProviderError("its token is not signed")

    def _fetched_keys(self, session: _Bounded) -> KeySet:
        found = self._fetched(session, self._told(session)["jwks_uri"]).get("keys")
        keys: list[Key] = []
        for one in found if isinstance(found, list) else ():
            with suppress(Exception):  # of a key that is unknown here (RFC 7517, section 5), or is none
                keys.append(JWKRegistry.import_key(one))
        if not keys:
            raise ProviderError("it has no keys that are known here")
        return KeySet(keys)

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """OpenID Connect Core 3.1.3.7; ProviderError for the first that does not hold."""
        now, whom = time.time(), claims.get("aud")
        audience = whom if isinstance(whom, list) else [whom]
        party = claims.get("azp", self.oidc.client_id)
        faults = {
            "it is another provider's": claims.get("iss") != self.oidc.issuer,
            "it is for somebody else": self.oidc.client_id not in audience or party != self.oidc.client_id,
            "it is for several, and does not say for whom": len(audience) > 1 and "azp" not in claims,
            "it has expired": not _number(claims.get("exp")) or claims["exp"] + LEEWAY < now,
            "it is from the future": not _number(claims.get("iat")) or claims["iat"] - LEEWAY > now,
            "it is not valid yet": "nbf" in claims and (not _number(claims["nbf"]) or claims["nbf"] - LEEWAY > now),
            "it answers another question": claims.get("nonce") != nonce,
        }
        for said, wrong in faults.items():
            if wrong:
                raise ProviderError(f"its token does not count: {said}")

    def _named(self, claims: Mapping[str, Any]) -> str:
        claim, name = self.oidc.claim, claims.get(self.oidc.claim)
        if claim == "email" and claims.get("email_verified") not in (True, "true"):
            raise ProviderError("it has not verified that email")
        if not isinstance(name, str) or not PERSON.fullmatch(name) or not name.isprintable() or not name.isascii():
            raise ProviderError(f"its token names nobody as {claim}")
        return name


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain_word(said: object) -> str:
    """A word of the provider's, where it is one."""
    return said if isinstance(said, str) and said.isascii() and said.replace("_", "").isalnum() else "an error"


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "it is too slow"
    return "it cannot be reached" if isinstance(error, requests.ConnectionError) else "it is none that is known"
