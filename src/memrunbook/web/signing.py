"""Signing in by a link and out by a button, each written down before it counts."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from memrunbook.core.errors import RunbookError
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.sign_ins import SignIn, SignInEvent, record_sign_in
from memrunbook.ui.block import line
from memrunbook.ui.html.element import Element, element
from memrunbook.web.drawn import drawn, framed, main_of
from memrunbook.web.forms import form_of, from_here
from memrunbook.web.permitted import proven
from memrunbook.web.sessions import Sessions, SignedIn

COOKIE, BY_LINK = "runbook_session", "link"
LOCAL = re.compile(r"/([A-Za-z0-9_.-]+/?)*", re.ASCII)
TOKEN = re.compile(r"[A-Za-z0-9_-]{10,100}", re.ASCII)
HOW = "runbook serve prints a link that signs in once. For another: kill -USR1 its process."


@dataclass
class SignInDesk:
    """Where people sign in and out. `secure`: browsers are told to send the cookie over TLS alone."""

    sessions: Sessions
    state: Path
    secure: bool

    def link(self) -> str:
        """The path of a link that signs in once; recorded."""
        token = self.sessions.link()
        self._record("link", role="viewer")
        return f"/sign-in?link={token}"

    @property
    def cookie(self) -> str:
        """Its name: one that no other host may set, where TLS is spoken."""
        return f"__Host-{COOKIE}" if self.secure else COOKIE

    def token_of(self, request: Request) -> str:
        """What the cookie holds."""
        return request.cookies.get(self.cookie, "")

    def session_of(self, request: Request, *, touch: bool = True) -> SignedIn | None:
        """Who asks."""
        return self.sessions.session(self.token_of(request), touch=touch)

    def show(self, request: Request, why: str = "", status: int = 200) -> Response:
        """The page to sign in: a link alone changes nothing, for programs that look at links would use it up."""
        link, onward = request.query_params.get("link", ""), local(request.query_params.get("next", ""))
        return self._page(link if TOKEN.fullmatch(link) else "", onward, why, status)

    def _page(self, link: str, onward: str, why: str, status: int) -> Response:
        said = drawn([line(why)]) if why else []
        if link:
            form = element(
                "form", "", element("input", type="hidden", name="link", value=link),
                element("input", type="hidden", name="next", value=onward),
                element("p", "", element("button", "primary", "Sign in", type="submit")),
                method="post", action="/sign-in",
            )  # fmt: skip
            return _html(main_of("Sign in", *said, form), status)
        return _html(main_of("Sign in", *said, *drawn([line(HOW)])), status)

    async def sign_in(self, request: Request) -> Response:
        """A new session for whoever has a link that was not used yet."""
        if not from_here(request):
            return await self._refused(request, "the form came from another site", 403)
        if not self.sessions.may_try():
            return self._page("", "/", "Too many sign-ins were tried: wait a minute.", 429)
        fields = await form_of(request)
        role, why = self.sessions.checked(fields.get("link", ""))
        if role is None:
            return await self._refused(request, why, 403)
        self.sessions.end(self.token_of(request))
        token, session = self.sessions.begin(role, BY_LINK)
        try:
            await asyncio.to_thread(self._record, "in", request, role=role, session=session.name)
        except RunbookError:
            self.sessions.end(token)  # nobody is signed in whose sign-in is not written down
            raise
        answer = RedirectResponse(local(fields.get("next", "")), 303)
        answer.set_cookie(self.cookie, token, path="/", httponly=True, samesite="strict", secure=self.secure)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Ends the session, on this server and in the browser; NotDoneError for a form of somebody else."""
        session = self.session_of(request, touch=False)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        await proven(request, session)
        self.sessions.end(self.token_of(request))
        await asyncio.to_thread(self._record, "out", request, role=session.role, session=session.name)
        answer = self._page("", "/", "You are signed out.", 200)
        answer.delete_cookie(self.cookie, path="/", httponly=True, samesite="strict", secure=self.secure)
        return answer

    async def _refused(self, request: Request, why: str, status: int) -> Response:
        await asyncio.to_thread(self._record, "refused", request, why=why)
        return self._page("", "/", f"Not signed in: {why}.", status)

    def _record(
        self, event: SignInEvent, request: Request | None = None, *, role: str = "", session: str = "", why: str = ""
    ) -> None:
        address = request.client.host if request is not None and request.client is not None else ""
        at = SystemClock().now().isoformat()
        one = SignIn(at=at, event=event, how=BY_LINK, address=address, role=role, session=session, why=why)
        record_sign_in(self.state, one)


def local(given: str) -> str:
    """A place on this server; its overview for anything else: nobody is led elsewhere."""
    return given if LOCAL.fullmatch(given) and not given.startswith("/sign-") else "/"


def _html(main: Element, status: int) -> Response:
    return HTMLResponse(framed("Sign in", main, None), status)
