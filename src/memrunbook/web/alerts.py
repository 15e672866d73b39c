"""Takes what Alertmanager posts: `runbook alert` as a process for each document, few at once, few waiting."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from memrunbook.core.errors import DocumentError, RunbookError, in_a_line
from memrunbook.documents.alerts import read_alerts
from memrunbook.state.asked import AskedFor
from memrunbook.web.processes import OwnCommands, now_utc
from memrunbook.web.tokens import bears
from memrunbook.web.tries import Tries

AT_ONCE, WAITING = 2, 20
"""Documents that are worked off at once, and that wait for it."""
MOST, WITHIN = 120, 60.0
"""So many posts are taken in so many seconds; those with a wrong token are nobody's, and keep nobody out."""
AGAIN = 30
"""Seconds after which Alertmanager may come again where too much waits."""
LONGEST = 3600.0
"""Seconds in which a document is worked off; who takes longer holds no place."""
WHERE = "the body"


@dataclass
class AlertDesk:
    """`token` is that of who may post; empty where config.yaml names none. `words` say where everything is.

    `say` tells whoever started the server of what was taken and is not looked at.
    """

    processes: OwnCommands
    token: str
    words: tuple[str, ...]
    say: Callable[[str], object]
    now: Callable[[], float] = time.monotonic
    _taken: Tries = field(init=False)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._taken = Tries(self.now, MOST, WITHIN)

    async def post(self, request: Request) -> Response:
        """202 at once for what will be looked at, else why not."""
        refused = self._refused(request) or self._full()
        if refused is not None:
            return refused
        content = await request.body()
        try:
            posted = await asyncio.to_thread(read_alerts, content, WHERE)
        except DocumentError as error:
            hint = next((one.hint for one in error.problems), "")
            return JSONResponse({"error": {"what": in_a_line(error), "hint": hint}}, 400)
        return self._full() or self._taken_on(request, content, len(posted.alerts))  # others came meanwhile

    def _refused(self, request: Request) -> Response | None:
        if not self.token:
            return _error(404, "config.yaml names no token of who may post alerts: serve: alerts_token_file:")
        if not bears(request, self.token):
            answer = _error(401, "no token, or another one")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None if self._taken.may_try() else _error(429, f"more than {MOST} posts in {WITHIN:g} s", again=True)

    def _full(self) -> Response | None:
        full = len(self._waiting) >= AT_ONCE + WAITING
        return _error(503, f"{WAITING} documents wait already", again=True) if full else None

    def _taken_on(self, request: Request, content: bytes, alerts: int) -> Response:
        address = request.client.host if request.client is not None else ""
        asked = AskedFor(
            at=now_utc(), what="alert", digest=hashlib.sha256(content).hexdigest(), who=address or "somebody",
            how="the token of alerts", address=address,
        )  # fmt: skip
        task = asyncio.create_task(self._answered(asked, content))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return JSONResponse({"alerts": alerts, "waiting": len(self._waiting)}, 202)

    async def _answered(self, asked: AskedFor, content: bytes) -> None:
        async with self._places:
            try:
                started = await self.processes.start(("alert", *self.words), asked, content)
                await asyncio.wait_for(started.over.wait(), LONGEST)
            except TimeoutError:
                return
            except RunbookError as error:  # nobody else would hear of it: who posted has its answer
                self.say(f"An alert was taken and is not looked at: {in_a_line(error)}")


def _error(status: int, what: str, *, again: bool = False) -> Response:
    headers = {"Retry-After": str(AGAIN)} if again else {}
    return JSONResponse({"error": {"what": what}}, status, headers)
