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
from memrunbook.web.permitted import NotDoneError, known_as, permitted, proven
from memrunbook.web.plan_desk import LONGEST_REASON, PlanDesk
from memrunbook.web.plan_page import ShownPlan
from memrunbook.web.processes import Processes, Started, now_utc
from memrunbook.web.sessions import SignedIn

PATIENCE, LOOK_EVERY = 20.0, 0.25
"""Seconds in which a run begins, as a rule, and between two looks whether it has."""


@dataclass
class ApplyDesk:
    """Starts what an operator asks for, and leads to its run."""

    plans: PlanDesk
    processes: Processes
    _begun: set[str] = field(default_factory=set)

    async def apply(self, request: Request) -> Response:
        """Starts it, once, where nothing is lacking; the page of its run, or what the command said."""
        session = permitted(self.plans.desk.session_of(request), "operator")
        fields = await proven(request, session)
        shown = await self.plans.work.do(functools.partial(self.plans.looked_at, request, fields))
        digest = shown.file.digest
        if fields.get("sure") != "yes":
            raise NotDoneError("It was not confirmed that this plan is to be carried out now.", 400)
        if shown.refused is not None:
            raise NotDoneError(f"It cannot be applied: {shown.refused.message}", 409)
        if digest in self._begun:
            raise NotDoneError("It is being begun already: look at Runs.", 409)
        self._begun.add(digest)
        try:
            return await self._begin(request, session, shown, fields.get("reason", "")[:LONGEST_REASON])
        finally:
            self._begun.discard(digest)

    async def _begin(self, request: Request, session: SignedIn, shown: ShownPlan, reason: str) -> Response:
        asked = AskedFor(
            at=now_utc(),
            what="apply",
            digest=shown.file.digest,
            who=known_as(session),
            how=f"signed in by {session.how}",
            session=session.name,
            address=request.client.host if request.client is not None else "",
        )
        started = await self.processes.start(self._words(shown, reason), asked)
        run = await self._run_of(started, asked)
        if run:
            return RedirectResponse(run_place(run), 303)
        code = started.process.returncode
        title = "It was begun" if code is None else "This was not done"
        main = main_of(title, *drawn(_told(started)))
        return HTMLResponse(framed(title, main, session, "/pending"), 202 if code is None else 409)

    def _words(self, shown: ShownPlan, reason: str) -> list[str]:
        """What would be typed at the terminal."""
        return ["apply", str(shown.file.path), *self.plans.served.where, *(["--reason", reason] if reason else [])]

    async def _run_of(self, started: Started, asked: AskedFor) -> str:
        """The run that it began; empty where it ended without, or takes longer."""
        since = f"{dt.datetime.fromtimestamp(asked.at - 2.0, dt.UTC):%Y%m%dT%H%M%SZ}"
        waited = 0.0
        while waited < PATIENCE:
            over = started.process.returncode is not None
            run = await asyncio.to_thread(begun_for, self.plans.served.state, asked.digest, since)
            if run or over:
                return run
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        return ""


def _told(started: Started) -> list[Block]:
    code = started.process.returncode
    if code is None:
        return [line("Its run stands under Runs as soon as it writes its journal. What it says: ",
                     Span(str(started.said), whole=True))]  # fmt: skip
    found: list[Block] = [line(f"The command ended with {code}, and no run was begun. It said:")]
    found += [line(Span(said, whole=True), indent=2) for said in started.words.splitlines()]
    return [*found, line("All of it: ", Span(str(started.said), whole=True))]
