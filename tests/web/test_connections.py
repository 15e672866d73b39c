"""The connections of a real server: who says nothing, or reads nothing, keeps nobody else out."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.sshd import free_port
from tests.web.pages import Site

from memrunbook.web import connections
from memrunbook.web.connections import MOST, BoundedConnection
from memrunbook.web.guard import POLICY

HOST = b"Host: localhost\r\n"
WHOLE = b"GET /sign-in HTTP/1.1\r\n" + HOST + b"\r\n"


@contextmanager
def listening(site: Site, errors: list[str]) -> Iterator[int]:
    """The pages on a port, and what their loop has to complain of."""
    port = free_port()
    config = uvicorn.Config(site.guard, port=port, http=BoundedConnection, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: errors.append(str(told)))
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = server.force_exit = True
        thread.join(30)


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def port(tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "PATIENCE", 1.5)
    with listening(Site(tmp_path / "state"), errors) as found:
        yield found


def opened(port: int, sent: bytes = b"") -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=30)
    found.sendall(sent)
    return found


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other end closes; nothing where it breaks the connection off."""
    found = b""
    try:
        while piece := connection.recv(1 << 16):
            found += piece
    except ConnectionError:
        pass
    return found


def answered(port: int, request: bytes = WHOLE) -> bytes:
    with opened(port, request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)) as connection:
        return heard(connection)


def test_silent_connections_keep_nobody_out(port: int) -> None:
    begun = [
        b"",
        b"GET /sign-in HT",
        WHOLE[:-2],
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nlink",
    ]
    with ExitStack() as open_ones:
        for number in range(MOST + 60):
            open_ones.enter_context(opened(port, begun[number % len(begun)]))
        assert answered(port).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /sign-in HT", WHOLE + b"G", b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nlink"],
    ids=["nothing", "half a line", "half of a second", "half a body"],
)
def test_a_request_arrives_in_time_or_not_at_all(port: int, sent: bytes) -> None:
    began = time.monotonic()
    with opened(port, sent) as connection:
        heard(connection)
    assert time.monotonic() - began < 20, "it was ended"


def test_who_reads_nothing_is_let_go(port: int, errors: list[str]) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", port))
        with pytest.raises(ConnectionError):
            connection.sendall(WHOLE * 1_000_000)
    assert answered(port).startswith(b"HTTP/1.1 200 ")
    assert errors == []


def test_an_answer_under_way_is_not_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slowly(_scope: Scope, _receive: Receive, send: Send) -> None:
        await asyncio.sleep(4)
        await PlainTextResponse("late")(_scope, _receive, send)

    monkeypatch.setattr("memrunbook.web.guard._said", lambda *_words: slowly)
    assert answered(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").endswith(b"late")


def test_what_is_no_request_gets_the_headers_too(port: int, errors: list[str]) -> None:
    with opened(port, b"GARBAGE\r\n\r\n") as connection:
        answer = heard(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert POLICY.encode() in answer
    with opened(port, b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n") as connection:
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"zz\r\nzz\r\n")
        heard(connection)
    assert errors == [], "no traceback for what comes after an answer"


def test_a_body_that_breaks_in_the_middle_is_no_defect_of_ours(tmp_path: Path, errors: list[str]) -> None:
    site = Site(tmp_path / "state")
    form = b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    with listening(site, errors) as port:
        for late in (b"", b"5\r\nlink=\r\n"):
            with opened(port, b"POST /sign-in HTTP/1.1\r\n" + HOST + form + late + b"zz\r\nzz\r\n") as connection:
                assert heard(connection).startswith(b"HTTP/1.1 400 ")
        assert answered(port).startswith(b"HTTP/1.1 200 ")
    assert errors == []
    assert site.defects == []
