"""The page of whoever is signed in: who they are, what they may, their passkeys; and signing out everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from memrunbook.ui.block import line
from memrunbook.ui.html.element import Element, element
from memrunbook.web.drawn import drawn, framed, main_of
from memrunbook.web.passkey_desk import PasskeyDesk, Registrant, may_register
from memrunbook.web.sessions import SignedIn
from memrunbook.web.signing import SignInDesk

TITLE = "You"
MAY = {
    "viewer": "look at everything",
    "approver": "look at everything, approve and decline plans that wait",
    "operator": "look at everything, approve, decline and apply plans that wait, pause and resume schedules",
}


@dataclass(frozen=True)
class OwnPage:
    """Shows a person what is known of them here."""

    desk: SignInDesk
    passkeys: PasskeyDesk

    async def page(self, request: Request) -> Response:
        """The page."""
        session = self.desk.session_of(request)
        if session is None:
            return RedirectResponse("/sign-in?next=/me", 303)
        how = f"Signed in by {'an' if session.how[0] in 'aeio' else 'a'} {WORDS.get(session.how, session.how)}"
        who = f"{session.person}. {how}." if session.person else f"{how}, which has no name."
        parts = drawn([line(who), line(f"Role {session.role}: you may {MAY[session.role]}.")])
        script = ""
        if session.person:
            parts += self._known(session)
        if may_register(session):
            made, script = self.passkeys.form(request, Registrant(session.person, session.csrf, session))
            parts.append(_part("register", "Register a passkey", *made))
        if session.person:
            parts += _everywhere(session)
        return HTMLResponse(framed(TITLE, main_of(TITLE, *parts), session, "/me", script=script))

    def _known(self, session: SignedIn) -> list[Element]:
        mine = [one for one in self.desk.passkeys.known().values() if one.person == session.person]
        if not mine:
            return []
        rows = [
            element("li", "", f"at {one.relying_party}, registered {one.at[:16].replace('T', ' ')} UTC",
                    element("pre", "", element("code", "", one.allowed)))
            for one in mine
        ]  # fmt: skip
        told = "Approvals by one count where its line stands in allowed_signers."
        return [_part("passkeys", "Your passkeys", element("p", "", told), element("ul", "", *rows))]


WORDS = {"link": "link", "passkey": "passkey", "oidc": "OpenID Connect provider", "proxy": "proxy"}


def _everywhere(session: SignedIn) -> list[Element]:
    form = element(
        "form", "", element("input", type="hidden", name="csrf", value=session.csrf),
        element("input", type="hidden", name="everywhere", value="yes"),
        element("p", "", element("button", "", "Sign out everywhere", type="submit")),
        method="post", action="/sign-out",
    )  # fmt: skip
    return [_part("sign-out", "Sign out", form)]


def _part(name: str, title: str, *inside: Element) -> Element:
    return element("section", "", element("h2", "", title, id=name), *inside, aria_labelledby=name)
