"""Where passkeys are registered, by an invitation or by whoever is signed in otherwise, and where they sign in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.invites import invited, use_invite
from memrunbook.state.known_passkeys import KnownPasskey, add_passkey, passkey_count, passkey_used
from memrunbook.ui.block import line
from memrunbook.ui.html.element import Element, element
from memrunbook.web.base64url import packed, unpacked
from memrunbook.web.drawn import drawn, framed, main_of
from memrunbook.web.forms import form_of, from_here
from memrunbook.web.passkey_answers import (
    AskedOfPasskey,
    BadAnswerError,
    challenge_in,
    counted,
    credential_in,
    handle_of,
    new_passkey,
)
from memrunbook.web.permitted import NotDoneError, proven
from memrunbook.web.sessions import SignedIn
from memrunbook.web.signing import TOKEN, SignInDesk, local, page
from memrunbook.web.ways_in import SCRIPT, SIGN_IN, origin, relying_party

BY_PASSKEY = "passkey"
REGISTERING = ("oidc", "proxy")
"""Who signed in so may register a passkey of their own: a passkey or a link makes no further one by itself."""
REGISTER = "register a passkey"
UNTIL_THEN = "Until this line stands in allowed_signers, approvals with this passkey count for nobody:"
WHAT = "Your device, or a security key, asks for your finger, your face or a PIN, and keeps the passkey."
NOT_INVITED = "Nobody is invited by that: the link was used already, or is older than 10 minutes."
AGAIN = "runbook passkey invite NAME prints another one."
NUMBER = "A passkey belongs to a name, and this page was reached by a number. Open the same address with: "


class Registrant(NamedTuple):
    """Whose passkey is registered, and by what right: an invitation's token, or a session."""

    name: str
    right: str
    session: SignedIn | None = None


@dataclass(frozen=True)
class PasskeyDesk:
    """Registers and knows passkeys."""

    desk: SignInDesk

    async def sign_in(self, request: Request) -> Response:
        """A session for whose passkey answers; no name is typed, the passkey tells it."""
        early = await self.desk.from_elsewhere(request, BY_PASSKEY)
        if early is not None:
            return early
        fields = await form_of(request)
        answer = fields.get("answer", "")
        person = ""
        try:
            asked = self._asked(request, answer, SIGN_IN)[0]
            credential, handle = credential_in(answer)
            passkey = self.desk.passkeys.known().get(credential)
            if passkey is None:
                raise BadAnswerError("nobody here knows this passkey")  # noqa: TRY301
            person = passkey.person
            await asyncio.to_thread(self._used, answer, asked, passkey, handle)
        except BadAnswerError as error:
            return await self.desk.refused(request, BY_PASSKEY, str(error), person=person)
        onward = local(fields.get("next", ""))
        return await self.desk.enter_as(request, BY_PASSKEY, person, onward, passkey.credential)

    def _used(self, answer: str, asked: AskedOfPasskey, passkey: KnownPasskey, handle: bytes | None) -> None:
        if passkey.relying_party != asked.party:
            raise BadAnswerError("it was made for another host than this one")
        if handle is not None and handle != handle_of(passkey.person):
            raise BadAnswerError("it says that it is somebody else's")
        count = counted(answer, asked, passkey, passkey_count(self.desk.state, passkey.credential))
        if not passkey_used(self.desk.state, passkey.credential, count, _now()):
            raise BadAnswerError("its counter went back: it may have been copied")

    async def invitation(self, request: Request) -> Response:
        """The page of an invitation: looking at it uses nothing up."""
        token = request.query_params.get("invite", "")
        name = self._invited(token)
        if not name:
            return page("Register a passkey", [*drawn([line(NOT_INVITED), line(AGAIN)])], 403)
        parts, script = self.form(request, Registrant(name, token))
        return page("Register a passkey", parts, script=script)

    def form(self, request: Request, person: Registrant) -> tuple[list[Element], str]:
        """The form by which this person registers a passkey, and its script."""
        party = relying_party(request)
        if not party:
            there = f"http://localhost:{request.url.port or 80}"
            return [element("p", "", NUMBER, element("code", "", there))], ""
        mine = [one for one in self.desk.passkeys.known().values() if one.person == person.name]
        known = " ".join(one.credential for one in mine if one.relying_party == party)
        hidden = {"csrf": person.right} if person.session is not None else {"invite": person.right}
        who = element("strong", "", person.name, data_person="yes")
        form = element(
            "form", "", element("p", "", "For ", who, f", at {party}. {WHAT}"),
            *(element("input", type="hidden", name=name, value=value) for name, value in hidden.items()),
            element("input", type="hidden", name="answer", value=""),
            element("p", "", element("button", "primary", "Register a passkey", type="submit")),
            element("p", "told", role="status", aria_live="polite"),
            method="post", action="/register", data_ceremony="create", data_party=party, data_known=known,
            data_challenge=self.desk.tickets.issue(REGISTER, f"{person.name}\n{person.right}"),
            data_user=packed(handle_of(person.name)),
        )  # fmt: skip
        return [form], SCRIPT

    async def register(self, request: Request) -> Response:
        """Keeps the passkey that a browser made, for whom it was asked."""
        if not from_here(request):
            raise NotDoneError("The form came from another site: nothing was done.", 403)
        fields = await form_of(request)
        person = await self._person(request, fields)
        if person is None:
            return await self._not_registered(request, "", NOT_INVITED, 403)
        try:
            asked, right = self._asked(request, fields.get("answer", ""), REGISTER)
            if right != f"{person.name}\n{person.right}":
                raise BadAnswerError("it was made for another page")  # noqa: TRY301
            passkey, count = new_passkey(fields.get("answer", ""), asked, person.name, _now())
            await asyncio.to_thread(self._keep, person, passkey, count)
        except (BadAnswerError, UsageError) as error:
            why = error.message if isinstance(error, UsageError) else str(error)
            return await self._not_registered(request, person.name, why, 403)
        await self.desk.book.recorded(
            "registered", BY_PASSKEY, request, person=person.name, session=_name(person.session)
        )
        said = drawn([line(f"{person.name} can sign in with it now, at {passkey.relying_party}."), line(UNTIL_THEN)])
        shown = element("pre", "", element("code", "", passkey.allowed))
        on = element("p", "", element("a", "", "Go on" if person.session else "Sign in", href="/sign-in"))
        title = "The passkey is registered"
        return HTMLResponse(framed(title, main_of(title, *said, shown, on), person.session))

    async def _person(self, request: Request, fields: dict[str, str]) -> Registrant | None:
        """Who registers: whom a session names, else whom an invitation does."""
        if "csrf" not in fields:
            name = self._invited(fields.get("invite", ""))
            return Registrant(name, fields["invite"]) if name else None
        session = self.desk.session_of(request)
        if session is None or not may_register(session):
            raise NotDoneError("Who registers a passkey is signed in by the provider or the proxy.", 403)
        await proven(request, session)
        return Registrant(session.person, session.csrf, session)

    def _keep(self, person: Registrant, passkey: KnownPasskey, count: int) -> None:
        """Uses the invitation up first: of two who come at once one registers."""
        if person.session is None and not use_invite(self.desk.state, person.right):
            raise BadAnswerError(NOT_INVITED)
        add_passkey(self.desk.state, passkey, count)

    def _invited(self, token: str) -> str:
        if not TOKEN.fullmatch(token):
            return ""
        try:
            return invited(self.desk.state, token, SystemClock().now().utc)
        except RunbookError:
            return ""

    def _asked(self, request: Request, answer: str, purpose: str) -> tuple[AskedOfPasskey, str]:
        """What was asked of the passkey that answers, and what the challenge was bound to."""
        challenge = challenge_in(answer)
        bound = self.desk.tickets.redeem(purpose, challenge)
        if bound is None:
            raise BadAnswerError("it answered too late, or a second time")
        return AskedOfPasskey(unpacked(challenge), origin(request), relying_party(request)), bound

    async def _not_registered(self, request: Request, person: str, why: str, status: int) -> Response:
        if not self.desk.sessions.may_try(REGISTER):
            return self.desk.too_many(request)
        await self.desk.book.recorded("refused", BY_PASSKEY, request, person=person, why=f"not registered: {why}")
        return page("No passkey was registered", drawn([line(f"{why[:1].upper()}{why[1:].rstrip('.')}.")]), status)


def may_register(session: SignedIn) -> bool:
    """True where a session may register a passkey for its person."""
    return bool(session.person) and session.how in REGISTERING


def _name(session: SignedIn | None) -> str:
    return session.name if session is not None else ""


def _now() -> str:
    return SystemClock().now().isoformat()
