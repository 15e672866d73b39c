"""An operator applies a plan on its page: `runbook apply FILE`, as a process that outlives the server."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from memrunbook.state.applied import begun_for
from memrunbook.state.asked import AskedFor
from memrunbook.ui.block import Block, Span, line
from memrunbook.web.drawn import drawn, framed, main_of, run_place
from memrunbook.web.forms import reason_of
from memrunbook.web.permitted import NotDoneError, known_as, permitted, proven
from memrunbook.web.plan_desk import PlanDesk
from memrunbook.web.plan_page import ShownPlan
from memrunbook.web.processes import OwnCommands, Started, now_utc
from memrunbook.web.sessions import SignedIn

PATIENCE, LOOK_EVERY = 3.0, 0.25
"""Seconds for which an answer waits for the run to begin, and between two looks whether it has."""
AGAIN = 1
"""Seconds after which a browser asks again."""
MOST = 100
"""Commands that are remembered; what they did stands in the journal."""


@dataclass(frozen=True)
class BegunApply:
    """A command that was started for a plan, and what was asked for."""

    started: Started
    asked: AskedFor

    @property
    def over(self) -> bool:
        """True where it has ended."""
        return self.started.process.status is not None


@dataclass
class ApplyDesk:
    """Starts what an operator asks for, and leads to its run."""

    plans: PlanDesk
    processes: OwnCommands
    _begun: dict[str, BegunApply] = field(default_factory=dict)
    _starting: set[str] = field(default_factory=set)

    async def apply(self, request: Request) -> Response:
        """Starts it, where nothing is lacking and it is not at work already."""
        session = permitted(self.plans.desk.session_of(request), "operator")
        fields = await proven(request, session)
        shown = await self.plans.work.do(functools.partial(self.plans.looked_at, request, fields))
        digest = shown.file.digest
        if fields.get("sure") != "yes":
            raise NotDoneError("It was not confirmed that this plan is to be carried out now.", 400)
        if shown.refused is not None:
            raise NotDoneError(f"It cannot be applied: {shown.refused.message}", 409)
        if digest in self._starting or (digest in self._begun and not self._begun[digest].over):
            raise NotDoneError("It is being begun already: look at Runs.", 409)
        self._starting.add(digest)
        try:
            self._remember(digest, await self._begin(request, session, shown, reason_of(fields)))
        finally:
            self._starting.discard(digest)
        return RedirectResponse(f"/pending/{digest}/begun", 303)

    async def begun(self, request: Request) -> Response:
        """The page of its run as soon as there is one; what the command said, where it ended without."""
        session = self.plans.desk.session_of(request)
        if session is None:
            return RedirectResponse("/sign-in?next=/runs", 303)
        begun = self._begun.get(request.path_params["part"])
        if begun is None:
            raise NotDoneError("Nothing was begun here of late: look at Runs.", 404)
        run = await self._run_of(begun)
        if run:
            return RedirectResponse(run_place(run), 303)
        over = begun.over
        title = "This was not done" if over else "It is being begun"
        told = await asyncio.to_thread(_told, begun.started)
        page = framed(title, main_of(title, *drawn(told)), session, "/pending")
        return HTMLResponse(page, 409 if over else 200, {} if over else {"Refresh": str(AGAIN)})

    def _remember(self, digest: str, begun: BegunApply) -> None:
        while len(self._begun) >= MOST:
            self._begun.pop(next(iter(self._begun)))
        self._begun[digest] = begun

    async def _begin(self, request: Request, session: SignedIn, shown: ShownPlan, reason: str) -> BegunApply:
        asked = AskedFor(
            at=now_utc(),
            what="apply",
            digest=shown.file.digest,
            who=known_as(session),
            how=f"signed in by {session.how}",
            session=session.name,
            address=request.client.host if request.client is not None else "",
        )
        return BegunApply(await self.processes.start(self._words(shown, reason), asked), asked)

    def _words(self, shown: ShownPlan, reason: str) -> list[str]:
        """What would be typed at the terminal."""
        return ["apply", str(shown.file.path), *self.plans.served.where, *(["--reason", reason] if reason else [])]

    async def _run_of(self, begun: BegunApply) -> str:
        """The run that it began; empty where it ended without, or takes longer."""
        since = f"{dt.datetime.fromtimestamp(begun.asked.at - 2.0, dt.UTC):%Y%m%dT%H%M%SZ}"
        waited = 0.0
        while True:
            over = begun.over
            run = await asyncio.to_thread(begun_for, self.plans.served.state, begun.asked.digest, since)
            if run or over or waited >= PATIENCE:
                return run
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY


def _told(started: Started) -> list[Block]:
    code = started.process.status
    if code is None:
        return [line("This page leads to its run as soon as there is one. What the command says: ",
                     Span(str(started.said), whole=True))]  # fmt: skip
    found: list[Block] = [line(f"The command ended with {code}, and no run was begun. It said:")]
    found += [line(Span(said, whole=True), indent=2) for said in started.words.splitlines()]
    return [*found, line("All of it: ", Span(str(started.said), whole=True))]
