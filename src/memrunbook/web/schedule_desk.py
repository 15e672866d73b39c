"""The schedules, and an operator who pauses one or lets it go on: as `runbook schedule pause` and `resume` do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from memrunbook.app.going_on import completed
from memrunbook.app.scheduling import (
    ListedSchedule,
    ScheduleArguments,
    list_schedules,
    pause_schedule,
    resume_schedule,
)
from memrunbook.app.shown_schedules import list_page
from memrunbook.ui.block import Span, text
from memrunbook.ui.html.element import Element, element
from memrunbook.web.drawn import DrawnPage, drawn, framed, host_key, linked, main_of, places
from memrunbook.web.forms import LONGEST_REASON, reason_of
from memrunbook.web.permitted import NotDoneError, known_as, may, permitted, proven
from memrunbook.web.served import ServedState
from memrunbook.web.sessions import SignedIn
from memrunbook.web.signing import SignInDesk
from memrunbook.web.work import Work

PauseOrResume = Literal["pause", "resume"]
TURNS: dict[str, PauseOrResume] = {"active": "pause", "paused": "resume"}
"""What can be done with a schedule that stands so."""
WORDS: dict[PauseOrResume, tuple[str, str, str]] = {
    "pause": ("Pause", "Yes: nothing of ", " is carried out until somebody resumes it"),
    "resume": ("Resume", "Yes: ", " goes on with what is due from now on"),
}
"""What the button says, and what stands before and behind the schedule's name where it is confirmed."""


@dataclass(frozen=True)
class ScheduleDesk:
    """The page, and what its forms ask for."""

    served: ServedState
    desk: SignInDesk
    work: Work

    async def page(self, request: Request) -> Response:
        """The schedules, for whoever is signed in."""
        session = self.desk.session_of(request)
        if session is None:
            return RedirectResponse(f"/sign-in?next={request.url.path}", 303)
        found = await self.work.do(lambda: schedules_page(self.served, session))
        return HTMLResponse(framed(found.title, found.main, session, "/schedules"))

    async def pause(self, request: Request) -> Response:
        """Nothing of it is carried out until it is resumed."""
        return await self._turned(request, "pause")

    async def resume(self, request: Request) -> Response:
        """It goes on."""
        return await self._turned(request, "resume")

    async def _turned(self, request: Request, turn: PauseOrResume) -> Response:
        session = permitted(self.desk.session_of(request), "operator")
        fields = await proven(request, session)
        if fields.get("sure") != "yes":
            raise NotDoneError("It was not confirmed: nothing was done.", 400)
        key, reason = request.path_params["part"], reason_of(fields)

        def done() -> None:
            arguments = arguments_of(self.served)
            name = next((one.name for one in list_schedules(arguments) if host_key(one.name) == key), None)
            if name is None:
                raise HTTPException(404)
            if turn == "pause":
                pause_schedule(arguments, name, known_as(session), reason)
            else:
                resume_schedule(arguments, name)

        await self.work.do(done)
        return RedirectResponse("/schedules", 303)


def arguments_of(served: ServedState) -> ScheduleArguments:
    """Where the schedules stand."""
    return ScheduleArguments(library=served.library, state=served.state, store=served.store, inventory=served.sources)


def schedules_page(served: ServedState, session: SignedIn) -> DrawnPage:
    """Each schedule, its next firing and its last one; who may pause and resume them can."""
    found = list_schedules(arguments_of(served))
    blocks = list_page(found, lambda command: completed(command, served.words))
    runs = [one.last.run for one in found if one.last is not None and one.last.run]
    main = main_of("Schedules", *drawn(blocks), _forms(found, session) if may(session, "operator") else None)
    return DrawnPage("Schedules", linked(main, places(runs)))


def _forms(found: Sequence[ListedSchedule], session: SignedIn) -> Element | None:
    turned = [(number, one, TURNS[one.state]) for number, one in enumerate(found, 1) if one.state in TURNS]
    if not turned:
        return None
    heading = element("h2", "", "Pause and resume", id="turns")
    forms = (_form(number, one, turn, session) for number, one, turn in turned)
    return element("section", "", heading, *forms, aria_labelledby="turns")


def _form(number: int, one: ListedSchedule, turn: PauseOrResume, session: SignedIn) -> Element:
    word, before, behind = WORDS[turn]
    name = Span(one.name, "strong", whole=True)
    box = element("input", type="checkbox", name="sure", id=f"sure-{number}", value="yes", required="required")
    sure = element("label", "", text(before, name, behind))
    sure.set("for", f"sure-{number}")
    parts = [element("p", "confirm", box, sure)]
    if turn == "pause":
        reason = element("input", type="text", name="reason", id=f"why-{number}", maxlength=LONGEST_REASON,
                         autocomplete="off")  # fmt: skip
        why = element("label", "", "Why (shown beside it)")
        why.set("for", f"why-{number}")
        parts.append(element("p", "confirm", why, reason))
    button = element("button", "", text(f"{word} ", name), type="submit")
    return element(
        "form", turn, element("input", type="hidden", name="csrf", value=session.csrf), *parts,
        element("p", "", button), method="post", action=f"/schedules/{host_key(one.name)}/{turn}",
    )  # fmt: skip
