"""Where people sign in and out; what begins a session, each written down before it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from memrunbook.core.errors import RunbookError
from memrunbook.documents.roles import Role
from memrunbook.documents.serving import Serving
from memrunbook.ui.block import line
from memrunbook.ui.html.element import Element, element
from memrunbook.web.drawn import drawn, framed, main_of
from memrunbook.web.forms import from_here
from memrunbook.web.passkeys_here import PasskeysHere
from memrunbook.web.sessions import TRIES, WITHIN, Sessions, SignedIn
from memrunbook.web.sign_in_book import SignInBook
from memrunbook.web.tickets import Tickets
from memrunbook.web.tries import Tries
from memrunbook.web.ways_in import WaysIn, offered, proxy_person

COOKIE, BY_LINK, BY_PROXY = "runbook_session", "link", "proxy"
LOCAL = re.compile(r"/([A-Za-z0-9_.-]+/?)*", re.ASCII)
TOKEN = re.compile(r"[A-Za-z0-9_-]{10,100}", re.ASCII)
TOO_MANY = "Too many sign-ins were tried: wait a minute."


class Entering(NamedTuple):
    """Who signs in by what: `person` as config.yaml names people, `passkey` the id of the one that was used."""

    how: str
    role: Role
    person: str = ""
    passkey: str = ""


@dataclass
class SignInDesk:
    """Where people sign in and out. `secure`: browsers are told to send the cookie over TLS alone.

    `secret` is that of the provider of OpenID Connect, where it wants one.
    """

    sessions: Sessions
    state: Path
    secure: bool
    serving: Serving = field(default_factory=Serving)
    secret: str = field(default="", repr=False)
    tickets: Tickets = field(init=False)
    passkeys: PasskeysHere = field(init=False)
    book: SignInBook = field(init=False)
    elsewhere: Tries = field(init=False)

    def __post_init__(self) -> None:
        self.tickets, self.passkeys = Tickets(self.sessions.now), PasskeysHere(self.state)
        self.book, self.elsewhere = SignInBook(self.state), Tries(self.sessions.now, TRIES, WITHIN)

    def link(self) -> str:
        """The path of a link that signs in once; recorded."""
        token = self.sessions.link()
        self.book.record("link", BY_LINK, role="viewer")
        return f"/sign-in?link={token}"

    @property
    def cookie(self) -> str:
        """Its name: one that no other host may set, where TLS is spoken."""
        return self.named(COOKIE)

    def named(self, cookie: str) -> str:
        """The name of a cookie of ours."""
        return f"__Host-{cookie}" if self.secure else cookie

    def token_of(self, request: Request) -> str:
        """What the cookie holds."""
        return request.cookies.get(self.cookie, "")

    def session_of(self, request: Request, *, touch: bool = True) -> SignedIn | None:
        """Who asks; None too where the proxy names somebody else by now, or the passkey was removed."""
        session = self.sessions.session(self.token_of(request), touch=touch)
        if session is None or (session.how == BY_PROXY and proxy_person(self.serving, request) != session.person):
            return None
        if session.passkey and session.passkey not in self.passkeys.known():
            self.sessions.end(self.token_of(request))
            return None
        return session

    def page(self, request: Request, link: str = "", onward: str = "/", why: str = "", status: int = 200) -> Response:
        said = drawn([line(why)]) if why else []
        if link:
            form = element(
                "form", "", element("input", type="hidden", name="link", value=link),
                element("input", type="hidden", name="next", value=onward),
                element("p", "", element("button", "primary", "Sign in", type="submit")),
                method="post", action="/sign-in",
            )  # fmt: skip
            return page("Sign in", [*said, form], status)
        here: WaysIn = offered(self.serving, self.passkeys, self.tickets, request, onward)
        return page("Sign in", [*said, *here.parts], status, here.script)

    async def too_early(self, request: Request, how: str) -> Response | None:
        """The answer to what another site sends, and where too much was tried; None for what is looked at."""
        if not from_here(request):
            return await self.refused(request, how, "the form came from another site", tried=False)
        return None if self.sessions.may_try() else self.too_many(request)

    def too_many(self, request: Request) -> Response:
        """Says that somebody must wait."""
        return self.page(request, why=TOO_MANY, status=429)

    async def enter(self, request: Request, who: Entering, onward: str, *, led_here: bool = False) -> Response:
        """Begins a session and leads on. `led_here`: from another site, which a strict cookie outlives on a page only.

        What the browser had before is ended: no session is ever taken over.
        """
        self.sessions.end(self.token_of(request))
        token, session = self.sessions.begin(who.role, who.how, who.person)
        session.passkey = who.passkey
        try:
            await self.book.recorded("in", who.how, request, role=who.role, session=session.name, person=who.person)
        except RunbookError:
            self.sessions.end(token)  # nobody is signed in whose sign-in is not written down
            raise
        answer: Response = RedirectResponse(onward, 303)
        if led_here:
            go_on = element("p", "", element("a", "", "Go on", href=onward))
            answer = page("You are signed in", [*drawn([line(f"As {who.person}, {who.role}.")]), go_on])
            answer.headers["Refresh"] = f"0;url={onward}"
        answer.set_cookie(self.cookie, token, path="/", httponly=True, samesite="strict", secure=self.secure)
        return answer

    async def enter_as(self, request: Request, how: str, person: str, onward: str, passkey: str = "") -> Response:
        """Begins the session of somebody whose name is known, by the role that config.yaml gives."""
        role = self.serving.roles.role_of(person)
        if role is None:
            return await self.refused(request, how, "config.yaml gives no role to that name", person=person)
        return await self.enter(request, Entering(how, role, person, passkey), onward, led_here=not passkey)

    async def refused(  # noqa: PLR0913  who, by what, why, and how it is answered
        self, request: Request, how: str, why: str, *, person: str = "", status: int = 403, tried: bool = True
    ) -> Response:
        """Says, and writes down, why nobody was signed in.

        What was not `tried`, as nobody had to, is written down so often and no more: else it would fill a disk.
        """
        if tried or self.elsewhere.may_try():
            await self.book.recorded("refused", how, request, why=why, person=person)
        return self.page(request, why=f"Not signed in: {why}.", status=status)


def local(given: str) -> str:
    """A place on this server; its overview for anything else: nobody is led elsewhere."""
    return given if LOCAL.fullmatch(given) and not given.startswith("/sign-") else "/"


def page(title: str, inside: Sequence[Element], status: int = 200, script: str = "") -> HTMLResponse:
    """A page for whoever is not signed in."""
    return HTMLResponse(framed(title, main_of(title, *inside), None, script=script), status)
