"""Signing in by a provider of OpenID Connect: authorization code with PKCE, bound to the browser that began it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from memrunbook.web.oidc_provider import Provider, ProviderError, plain_word
from memrunbook.web.signing import SignInDesk, local
from memrunbook.web.ways_in import origin

BY_OIDC, BEFORE, PURPOSE = "oidc", "runbook_before", "sign in at the provider"
CALLBACK = "/sign-in/oidc/callback"
LASTS = 600.0
"""Seconds in which somebody signs in at the provider."""
PATIENCE = 25.0
"""Seconds that the provider has for all that is asked of it at once."""
MOST = 4
NOBODY = "the provider vouches for nobody"
T = TypeVar("T")


class BegunSignIn(NamedTuple):
    """What a browser began: it comes back sealed in a cookie of that browser, and once."""

    state: str
    nonce: str
    verifier: str
    redirect: str
    onward: str


@dataclass
class OidcDesk:
    """Leads a browser to the provider and takes it back."""

    desk: SignInDesk
    provider: Provider
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST, "provider"))
    _waiting: int = 0

    async def begin(self, request: Request) -> Response:
        """To the provider, with a cookie by which this browser alone can come back."""
        onward = local(request.query_params.get("next", ""))
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = BegunSignIn(state, nonce, verifier, f"{origin(request)}{CALLBACK}", onward)
        try:
            address = await self._asked(
                lambda: self.provider.start(begun.redirect, begun.state, begun.nonce, begun.verifier)
            )
        except ProviderError as error:
            return await self.desk.refused(request, BY_OIDC, f"{NOBODY}: {error}", status=502)
        answer = RedirectResponse(address, 303)
        sealed = self.desk.tickets.issue(PURPOSE, json.dumps(begun), LASTS)
        answer.set_cookie(
            self.desk.named(BEFORE), sealed, max_age=int(LASTS), path="/", httponly=True, samesite="lax",
            secure=self.desk.secure,
        )  # fmt: skip
        return answer

    async def back(self, request: Request) -> Response:
        """From the provider: who it is, by the code that it gave to this very browser."""
        answer = await self._back(request)
        answer.delete_cookie(self.desk.named(BEFORE), path="/", httponly=True, samesite="lax", secure=self.desk.secure)
        return answer

    async def _back(self, request: Request) -> Response:
        content = self.desk.tickets.redeem(PURPOSE, request.cookies.get(self.desk.named(BEFORE), ""))
        begun = BegunSignIn(*json.loads(content)) if content else None
        said = request.query_params
        if begun is None or not secrets.compare_digest(begun.state.encode(), said.get("state", "").encode()):
            return await self._no(request, "this browser did not begin that, or it is over", 403)
        if said.get("iss", self.provider.oidc.issuer) != self.provider.oidc.issuer:
            return await self._no(request, "another provider answered", 403)
        if "error" in said or "code" not in said:
            return await self._no(request, f"the provider said {plain_word(said.get('error'))}", 403)
        if not self.desk.sessions.may_try(PURPOSE):
            return self.desk.too_many(request)
        try:
            person = await self._asked(
                lambda: self.provider.person(said["code"], begun.redirect, begun.nonce, begun.verifier)
            )
        except ProviderError as error:
            return await self._no(request, str(error), 403)
        return await self.desk.enter_as(request, BY_OIDC, person, begun.onward)

    async def _asked(self, what: Callable[[], T]) -> T:
        """What the provider answers, in a thread; ProviderError where it takes too long, or too many wait for it."""
        if self._waiting >= MOST:
            raise ProviderError("too many wait for it")
        self._waiting += 1
        asked = asyncio.get_running_loop().run_in_executor(self._pool, what)
        asked.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(asked), PATIENCE)
        except TimeoutError:
            raise ProviderError("it is too slow") from None

    def _done(self, asked: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not asked.cancelled():
            asked.exception()  # looked at: who waited for it may be gone

    async def _no(self, request: Request, why: str, status: int) -> Response:
        return await self.desk.refused(request, BY_OIDC, f"{NOBODY}: {why}", status=status)
