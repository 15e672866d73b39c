"""What every answer has, and what is not answered at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message
from tests.web.pages import Site

from memrunbook.documents.serving import Serving
from memrunbook.web.guard import LARGEST_BODY, POLICY, PageGuard, TooLargeError


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "state")


@pytest.mark.parametrize("place", ["/", "/sign-in", "/nowhere", "/static/live.js", "/metrics", "/%ff", "//x"])
def test_every_answer_has_the_headers(site: Site, place: str) -> None:
    headers = site.client().get(place).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_a_name_that_it_is_not_called_by_is_not_answered(tmp_path: Path) -> None:
    site = Site(tmp_path / "state", serving=Serving(names=("runbook.example",)))
    for name in ("evil.example", "127.0.0.1.evil.example", "runbook.example.evil", "127.0.0.1@evil", ""):
        assert site.client().get("/sign-in", headers={"Host": name}).status_code == 421, name
    for name in ("127.0.0.1:8642", "LOCALHOST", "runbook.example", "runbook.example.:443"):
        assert site.client().get("/sign-in", headers={"Host": name}).status_code == 200, name


def test_behind_a_proxy_the_proxy_alone_is_answered(tmp_path: Path) -> None:
    serving = Serving(names=("runbook.example",), trusted_proxies=("10.0.0.7",))
    site = Site(tmp_path / "state", serving=serving)
    over_tls = {"X-Forwarded-Proto": "https"}

    def asked(address: str, headers: dict[str, str]) -> int:
        return site.client("http://runbook.example", client=(address, 1)).get("/sign-in", headers=headers).status_code

    assert asked("10.0.0.7", over_tls) == 200
    assert asked("10.0.0.8", over_tls) == 403
    assert asked("10.0.0.7", {}) == 403
    assert asked("10.0.0.7", {"X-Forwarded-Proto": "http"}) == 403


def test_only_so_much_is_read(site: Site) -> None:
    client = site.client()
    assert client.post("/sign-in", content=b"x" * (LARGEST_BODY + 1)).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    in_parts = client.post("/sign-in", content=iter([b"x" * 9000] * 3), headers=form)
    assert in_parts.status_code == 413, "without a length too"
    assert client.post("/sign-in", headers={"Content-Length": "-1"}).status_code == 413
    assert client.get(f"/{'x' * 3000}").status_code == 414
    refused = client.request("TRACE", "/sign-in")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    assert client.post("/runs").status_code == 405
    assert site.defects == []


def test_an_error_of_ours_is_a_short_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.signed_in()
    monkeypatch.setattr("memrunbook.web.pages.list_runs", lambda _state: 1 / 0)
    answer = client.get("/runs")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "ZeroDivision" not in answer.text
    [defect] = site.defects
    assert isinstance(defect, ZeroDivisionError)


def test_what_two_ends_may_read_differently_is_not_read(site: Site) -> None:
    both = {"Transfer-Encoding": "chunked", "Content-Length": "4"}
    answer = site.client().post("/sign-in", headers=both)
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")


def test_who_goes_in_the_middle_is_no_defect_of_ours(site: Site) -> None:
    gone: list[Message] = [
        {"type": "http.request", "body": b"link=", "more_body": True}, {"type": "http.disconnect"},
    ]  # fmt: skip

    async def receive() -> Message:
        return gone.pop(0)

    async def send(_message: Message) -> None:
        return

    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
             "headers": headers, "client": ("127.0.0.1", 1)}  # fmt: skip
    asyncio.run(site.guard(scope, receive, send))
    assert gone == []
    assert site.defects == []


def test_too_much_behind_a_stream_that_was_begun_ends_it_and_is_no_defect() -> None:
    async def stream(_request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"data: x\n\n"
                await asyncio.sleep(0.001)

        return StreamingResponse(parts())

    async def too_much(_request: Request, _error: Exception) -> Response:
        return Response(status_code=413)

    routes = [Route("/stream", stream)]
    app = Starlette(routes=routes, exception_handlers={TooLargeError: too_much})
    told: list[Exception] = []
    said: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x" * 4096, "more_body": True}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": "/stream", "raw_path": b"/stream", "query_string": b"",
             "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1)}  # fmt: skip
    asyncio.run(PageGuard(app, {"localhost"}, told.append)(scope, receive, send))
    assert said[0]["status"] == 200
    assert said[-1].get("more_body", True), "it was cut off, and is not said to be whole"
    assert told == []
