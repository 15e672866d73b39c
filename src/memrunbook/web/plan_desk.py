"""What is done with a plan that waits: approved by a passkey, declined."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from memrunbook.app.approving import ApproveResult
from memrunbook.app.approving_by_passkey import OwnPasskey, approve_by_passkey, own_passkeys
from memrunbook.app.declining import decline_plan
from memrunbook.app.pending_plans import PendingArguments
from memrunbook.app.sharing_plans import shared_if_it_answers
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.passkeys import BrowserAnswer
from memrunbook.state.signatures import to_sign
from memrunbook.ui.gate import names_to_type
from memrunbook.web.base64url import packed, unpacked
from memrunbook.web.drawn import framed
from memrunbook.web.forms import from_here, reason_of
from memrunbook.web.permitted import NotDoneError, known_as, permitted, proven
from memrunbook.web.plan_page import SIGNED, ShownPlan, choice_of, plan_page, plan_shown
from memrunbook.web.served import ServedState
from memrunbook.web.sessions import SignedIn
from memrunbook.web.signing import SignInDesk
from memrunbook.web.ways_in import origin, relying_party
from memrunbook.web.work import Work

GONE = "No plan that waits has this id: it was carried out or declined, or its time is over."
CHANGED = "Another plan lies there by now: look at it before you say anything of it."
LASTS = 300.0
"""Seconds in which a passkey answers."""
MOST_FIELDS = 2_000


@dataclass
class AnswersOfForm:
    """The answers at the gates as a form has them, in the order of the questions; `hosts` is how many there are."""

    fields: Mapping[str, str]
    hosts: int
    who: str
    numbers: Sequence[int]
    _asked: int = 0

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Yes where everything was confirmed that the terminal asks for; else no, and what was not."""
        number, now = self.numbers[self._asked], SystemClock().now()
        self._asked += 1
        for place, name in enumerate(names_to_type(host, question, self.hosts), 1):
            given = self.fields.get(f"{'name' if name else 'yes'}-{number}-{place}", "").strip()
            if given != (name or "yes"):
                wanted = f"{name} was not typed" if name else "it was not confirmed"
                why = f"step {question.step.label} on {host}: {wanted}"
                return Approval(now, "no", question.step.digest, self.who, "page", why)
        return Approval(now, "yes", question.step.digest, self.who, "page")


@dataclass
class Challenges:
    """Which sessions asked to sign which plan, and until when; each is for one answer."""

    now: Callable[[], float] = time.monotonic
    _given: dict[tuple[str, str], float] = field(default_factory=dict)

    def give(self, session: SignedIn, digest: str) -> None:
        """Remembers one."""
        now = self.now()
        self._given = {one: until for one, until in self._given.items() if until > now}
        self._given[session.csrf, digest] = now + LASTS

    def taken(self, session: SignedIn, digest: str) -> bool:
        """True where this session was given it, in time, and has not answered yet."""
        return self._given.pop((session.csrf, digest), 0.0) > self.now()


@dataclass
class PlanDesk:
    """The page of one plan, and what its forms ask for."""

    served: ServedState
    desk: SignInDesk
    work: Work
    challenges: Challenges = field(default_factory=Challenges)

    async def page(self, request: Request) -> Response:
        """The plan, for whoever is signed in."""
        session = self.desk.session_of(request)
        if session is None:
            return RedirectResponse(f"/sign-in?next={request.url.path}", 303)

        def made() -> str:
            shown = self._shown(request)
            choice = choice_of(self.served, shown, session, self._own(session, request))
            found = plan_page(self.served, shown, session, choice)
            return framed(found.title, found.main, session, "/pending", script="passkey.js")

        return HTMLResponse(await self.work.do(made))

    async def challenge(self, request: Request) -> Response:
        """What a passkey is to sign for this plan, for one session."""
        session = permitted(self.desk.session_of(request), "approver")
        if not from_here(request):
            raise NotDoneError("That was asked by another site: nothing was done.", 403)

        def made() -> dict[str, object]:
            shown = self._shown(request)
            choice = choice_of(self.served, shown, session, self._own(session, request))
            if not choice.passkeys:
                raise NotDoneError(choice.why, 409)
            self.challenges.give(session, shown.file.digest)
            return {
                "challenge": packed(to_sign(shown.file.content)),
                "relying_party": choice.passkeys[0].relying_party,
                "credentials": [one.credential for one in choice.passkeys],
            }

        return JSONResponse(await self.work.do(made))

    async def approve(self, request: Request) -> Response:
        """Keeps an approval, where it counts."""
        session = permitted(self.desk.session_of(request), "approver")
        fields = await proven(request, session, MOST_FIELDS)

        def kept() -> ApproveResult:
            shown = self.looked_at(request, fields)
            if not self.challenges.taken(session, shown.file.digest):
                raise NotDoneError("The passkey answered too late, or answers for another page: try again.", 409)
            own = {one.credential: one for one in self._own(session, request)}
            passkey = own.get(fields.get("credential", ""))
            if passkey is None or not session.person:
                raise NotDoneError("That is no passkey of yours that is known here.", 403)
            numbers = [number for number, gate in enumerate(shown.gates, 1) if gate.asked]
            said = AnswersOfForm(fields, shown.hosts, session.person, numbers)
            answer = _answer(fields, origin(request))
            approved = approve_by_passkey(shown.file, self.served.library, session.person, passkey, answer, said)
            shared_if_it_answers(self._arguments().stored())
            return approved

        await self.work.do(kept)
        return RedirectResponse(f"/pending/{fields['digest']}", 303)

    async def decline(self, request: Request) -> Response:
        """Somebody says no: it waits no more."""
        session = permitted(self.desk.session_of(request), "approver")
        fields = await proven(request, session)

        def said() -> None:
            shown = self.looked_at(request, fields)
            decline_plan(self._arguments(), shown.file.digest, known_as(session), reason_of(fields))

        await self.work.do(said)
        return RedirectResponse("/pending", 303)

    def _arguments(self) -> PendingArguments:
        served = self.served
        return PendingArguments(state=served.state, library=served.library, store=served.store, expired=True)

    def _shown(self, request: Request) -> ShownPlan:
        shown = plan_shown(self.served, request.path_params["part"])
        if shown is None:
            raise NotDoneError(GONE, 404)
        return shown

    def looked_at(self, request: Request, fields: Mapping[str, str]) -> ShownPlan:
        """The plan that was looked at; NotDoneError where it is another one by now."""
        shown = self._shown(request)
        if not secrets.compare_digest(shown.file.digest.encode(), fields.get("digest", "").encode()):
            raise NotDoneError(CHANGED, 409)
        return shown

    def _own(self, session: SignedIn, request: Request) -> Sequence[OwnPasskey]:
        """Their passkeys that a browser can use under the name by which these pages are reached."""
        party = relying_party(request)
        return [one for one in own_passkeys(self.served.state, session.person) if one.relying_party == party]


def _answer(fields: Mapping[str, str], here: str) -> BrowserAnswer:
    """What the passkey answered; NotDoneError for what is none, or was given to another site."""
    try:
        _, data, client, signature = (unpacked(fields.get(name, "")) for name in SIGNED)
        told = json.loads(client)
        given = str(told["origin"]), bool(told.get("crossOrigin", False))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotDoneError("That is no answer of a passkey.", 400) from None
    if given != (here, False):
        raise NotDoneError("The passkey answered to another site: nothing is kept.", 403)
    return BrowserAnswer(data, client, signature, here)
