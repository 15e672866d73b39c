"""A real HTTP server on 127.0.0.1 that remembers what it was posted, and answers as it was told to."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Posted(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


Answers = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiving:
    """What the server got; `answers` are used one after the other, the last one again and again."""

    port: int
    posted: list[Posted] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def say(status: int, body: bytes = b"", **headers: str) -> Answers:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def drip(request: BaseHTTPRequestHandler) -> None:
    """A header that never ends: a timeout of each read is never reached."""
    for _ in range(200):
        request.wfile.write(b"X")
        request.wfile.flush()
        time.sleep(0.1)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.connection.close()


def noise(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x00\xff\x1b[31m no HTTP at all\r\n\r\n")


@contextmanager
def receiving(*answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[Receiving]:
    """The server, until the end of the block."""
    plan: Sequence[Answers] = answers or (say(200),)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            found.posted.append(Posted(self.path, dict(self.headers), body))
            plan[min(len(found.posted), len(plan)) - 1](self)

        do_GET = do_POST  # noqa: N815  http.server calls it so

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Receiving(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
