"""The page where people sign in, by a link and by what a proxy says, and where they sign out."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from memrunbook.ui.block import line
from memrunbook.ui.html.element import element
from memrunbook.web.drawn import drawn
from memrunbook.web.forms import form_of
from memrunbook.web.permitted import proven
from memrunbook.web.signing import BY_LINK, BY_PROXY, TOKEN, Entering, SignInDesk, local, page
from memrunbook.web.ways_in import proxy_person


@dataclass(frozen=True)
class SignInPages:
    """In and out."""

    desk: SignInDesk

    async def show(self, request: Request) -> Response:
        """The page to sign in: a link alone changes nothing, for programs that look at links would use it up.

        Whom a trusted proxy names is signed in at once: there is nothing to choose.
        """
        onward = local(request.query_params.get("next", ""))
        person = proxy_person(self.desk.serving, request)
        if person:
            return await self._by_proxy(request, person, onward)
        link = request.query_params.get("link", "")
        return self.desk.page(request, link if TOKEN.fullmatch(link) else "", onward)

    async def sign_in(self, request: Request) -> Response:
        """A new session for whoever has a link that was not used yet."""
        early = await self.desk.from_elsewhere(request, BY_LINK)
        if early is not None:
            return early
        fields = await form_of(request)
        role, why = self.desk.sessions.checked(fields.get("link", ""))
        if role is None:
            return await self.desk.refused(request, BY_LINK, why)
        return await self.desk.enter(request, Entering(BY_LINK, role), local(fields.get("next", "")))

    async def _by_proxy(self, request: Request, person: str, onward: str) -> Response:
        session = self.desk.session_of(request, touch=False)
        if session is not None and session.person == person:
            return RedirectResponse(onward, 303)
        if not self.desk.sessions.may_try(f"{BY_PROXY} {person}"):
            return self.desk.too_many(request)
        return await self.desk.enter_as(request, BY_PROXY, person, onward)

    async def sign_out(self, request: Request) -> Response:
        """Ends the session, or all of this person's, on this server and in the browser.

        NotDoneError for a form of somebody else.
        """
        session = self.desk.session_of(request, touch=False)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        fields = await proven(request, session)
        every = self.desk.sessions.end_all(session.person) if fields.get("everywhere") and session.person else []
        self.desk.sessions.end(self.desk.token_of(request))
        for one in every or [session]:
            await self.desk.book.recorded("out", one.how, request, role=one.role, session=one.name, person=one.person)
        said = "You are signed out everywhere." if every else "You are signed out."
        offer = element("p", "", element("a", "", "Sign in again", href="/sign-in"))
        answer = page("Signed out", [*drawn([line(said)]), offer])
        answer.delete_cookie(self.desk.cookie, path="/", httponly=True, samesite="strict", secure=self.desk.secure)
        return answer
