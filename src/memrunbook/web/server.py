"""The addresses of the pages, and who may see what stands there."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from memrunbook.app.exposing import expose
from memrunbook.core.errors import DocumentError, Refused, RunbookError
from memrunbook.documents.written import without_secrets
from memrunbook.state.run_directory import run_path
from memrunbook.state.runs import run_of
from memrunbook.ui.block import line
from memrunbook.ui.errors import error_view
from memrunbook.web import api, hosts, pages
from memrunbook.web.acting_routes import acting_routes
from memrunbook.web.drawn import DrawnPage, drawn, framed, main_of
from memrunbook.web.forms import from_here
from memrunbook.web.guard import DEFECT, TOO_MUCH, TooLargeError
from memrunbook.web.live import Streams
from memrunbook.web.permitted import NotDoneError
from memrunbook.web.run_names import is_run
from memrunbook.web.served import ServedState
from memrunbook.web.sign_in_routes import sign_in_routes
from memrunbook.web.signing import SignInDesk
from memrunbook.web.style import page_style
from memrunbook.web.tokens import bears
from memrunbook.web.work import BusyError, Work

PageAnswer = Callable[[Request], Awaitable[Response]]
BUSY = (503, "Too much is asked for at once: try again.")
SCRIPTS = ("live.js", "passkey.js")
RENEWED = "x-renewed"
"""A page that renews itself says so: looking on keeps no session alive."""


@dataclass(frozen=True)
class Pages:
    """Answers requests; `token` is that of programs, `alerts` that of who posts alerts, empty where there is none."""

    served: ServedState
    desk: SignInDesk
    work: Work
    streams: Streams
    token: str = ""
    alerts: str = ""

    def application(self) -> Starlette:
        """All addresses."""
        shown = {
            "/": pages.overview,
            "/runs": pages.runs_page,
            "/hosts": hosts.hosts_page,
            "/pending": pages.pending_page,
            "/journal": pages.journal_page,
        }
        offered = [
            Route(f"{api.BASE}{one.path}", functools.partial(self._document, one), methods=["GET"])
            for one in api.OFFERED
        ]
        routes = [
            *(Route(place, self._page(place, page), methods=["GET"]) for place, page in shown.items()),
            Route("/runs/{part}", self._page("/runs", pages.one_run), methods=["GET"]),
            Route("/runs/{part}/events", self._events, methods=["GET"]),
            Route("/hosts/{part}", self._page("/hosts", hosts.host_page), methods=["GET"]),
            *acting_routes(self.served, self.desk, self.work, self.alerts),
            *sign_in_routes(self.desk),
            Route("/static/style.css", _static(page_style(), "text/css"), methods=["GET"]),
            *(Route(f"/static/{name}", _static(_script(name), "text/javascript"), methods=["GET"]) for name in SCRIPTS),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/api/openapi.json", self._described, methods=["GET"]),
            *offered,
        ]
        return Starlette(routes=routes, exception_handlers=self._handlers())

    def _handlers(self) -> dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
        plain = {BusyError: BUSY, TooLargeError: TOO_MUCH, Exception: DEFECT}
        told = {kind: functools.partial(_plain, *answer) for kind, answer in plain.items()}
        return {HTTPException: self._not_found, RunbookError: self._error, NotDoneError: self._not_done, **told}

    def _page(self, here: str, page: Callable[..., DrawnPage | None]) -> PageAnswer:
        async def answer(request: Request) -> Response:
            session = self.desk.session_of(request, touch=RENEWED not in request.headers)
            if session is None:
                return RedirectResponse(f"/sign-in?next={request.url.path}", 303)
            given = [request.path_params["part"]] if "part" in request.path_params else []
            found = await self.work.do(functools.partial(page, self.served, *given))
            if found is None:
                raise HTTPException(404)
            return HTMLResponse(framed(found.title, found.main, session, here, live=found.live))

        return answer

    async def _events(self, request: Request) -> Response:
        run, state = request.path_params["part"], self.served.state
        session = self.desk.session_of(request, touch=False)
        if session is None:
            raise HTTPException(401)
        if not is_run(state, run):
            raise HTTPException(404)
        if self.streams.full(session.name):
            raise BusyError
        follow = self.streams.follow(
            run_path(state, run),
            session.name,
            still=lambda: self.desk.session_of(request, touch=False) is not None,
            over=lambda: run_of(state, run).state != "running",
        )
        return StreamingResponse(follow, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _document(self, one: api.Offered, request: Request) -> Response:
        self._admit(request)
        part = request.path_params.get("part", "")

        def written() -> bytes | None:
            document = one.answer(self.served, part)
            return None if document is None else without_secrets(document)

        content = await self.work.do(written)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="application/json")

    async def _described(self, request: Request) -> Response:
        self._admit(request)
        return JSONResponse(await self.work.do(api.described))

    async def _metrics(self, request: Request) -> Response:
        self._admit(request)
        text = await self.work.do(lambda: expose(self.served.state, self.served.library, self.served.store))
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _admit(self, request: Request) -> None:
        """A program with the token, or somebody who is signed in; 401 for everybody else."""
        if not bears(request, self.token) and (not from_here(request) or self.desk.session_of(request) is None):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})

    async def _not_found(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        headers = error.headers if isinstance(error, HTTPException) else None
        words = {401: "Nobody is signed in.", 404: "There is no such page."}.get(status, "That is not answered here.")
        return self._said(request, words, status, headers)

    async def _not_done(self, request: Request, error: Exception) -> Response:
        found = error if isinstance(error, NotDoneError) else NotDoneError(str(error), 500)
        return self._said(request, found.words, found.status)

    async def _error(self, request: Request, error: Exception) -> Response:
        """A journal that cannot be read, a file that is wrong, what is refused: what, where, and what to do."""
        found = error if isinstance(error, RunbookError) else RunbookError(str(error))
        title = "This was not done" if request.method == "POST" else "This cannot be shown"
        status = 409 if isinstance(found, Refused) else 503
        if is_for_programs(request):
            return JSONResponse({"error": _said_of(found)}, status)
        main = main_of(title, *drawn(error_view(found)))
        return HTMLResponse(framed(title, main, self.desk.session_of(request, touch=False)), status)

    def _said(self, request: Request, words: str, status: int, headers: object = None) -> Response:
        given = dict(headers) if isinstance(headers, dict) else None
        if is_for_programs(request):
            return JSONResponse({"error": {"what": words}}, status, given)
        main = main_of(words, *drawn([line("The pages that there are stand above.")]))
        return HTMLResponse(framed(words, main, self.desk.session_of(request, touch=False)), status, given)


def is_for_programs(request: Request) -> bool:
    """True for addresses that no person looks at."""
    return request.url.path.startswith(("/api/", "/metrics", "/alerts")) or request.url.path.endswith("/challenge")


def _said_of(error: RunbookError) -> dict[str, str]:
    """What, where and what to do; of a document its first problem."""
    if isinstance(error, DocumentError) and error.problems:
        first, more = error.problems[0], len(error.problems) - 1
        what = f"{first.message}{f' and {more} more' if more else ''}"
        return {"what": what, "where": first.where, "hint": first.hint}
    return {"what": error.message, "where": error.where, "hint": error.hint}


async def _plain(status: int, words: str, _request: Request, _error: Exception) -> Response:
    retry = {"Retry-After": "5"} if status == BUSY[0] else {}
    return Response(f"{words}\n", status, retry, "text/plain")


def _script(name: str) -> str:
    return (files("memrunbook.web") / "static" / name).read_text("utf-8")


def _static(content: str, kind: str) -> PageAnswer:
    async def answer(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer
