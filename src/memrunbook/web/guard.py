"""Stands before every page: who is answered at all, how much is read, and which headers each answer has."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 16 << 10
"""Bytes: a form of ours has a few hundred."""
LARGEST_POSTED, POSTED = 5 << 20, "/alerts"
"""Bytes of what Alertmanager posts there; that address alone takes so many."""
LONGEST_TARGET = 2_000
"""Bytes of a path with its query."""
METHODS = frozenset({"GET", "HEAD", "POST"})
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
TOO_MUCH = (413, "More was sent than is read.")
DEFECT = (500, "This is a defect of ours. A file on the server says more.")
MORE = {400: {"Connection": "close"}, 405: {"Allow": "GET, HEAD, POST"}}
"""Headers of refusals: nothing is read any more where two ends may differ on what comes next."""
SECURE_ONLY = (b"strict-transport-security", b"max-age=31536000")


class TooLargeError(Exception):
    """More was sent than is read."""


@dataclass(frozen=True)
class PageGuard:
    """`names` are the hosts by which it is reached, in lower case; of `proxies`, if any, each request must come.

    `secure`: it speaks TLS itself. `defect` keeps what is needed to mend an error of ours.
    """

    app: ASGIApp
    names: Collection[str]
    defect: Callable[[Exception], object]
    proxies: Collection[str] = ()
    secure: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or says why not; an error of ours is a short page, never a traceback."""
        if scope["type"] != "http":
            return
        answer = _Answer(send, self._ours)
        try:
            status, words = self._refused(scope)
            if status:
                await _said(status, words)(scope, receive, answer)
                return
            scope["scheme"] = "https" if self.secure or self.proxies else "http"
            await self.app(scope, _bounded(receive, _most(scope)), answer)
        except ClientDisconnect:
            return  # who asked has gone
        except TooLargeError:
            await answer.instead(scope, receive, *TOO_MUCH)
        except Exception as error:  # noqa: BLE001  the last line of defence: a page, never a traceback
            if answer.begun and isinstance(error.__cause__, TooLargeError):
                return  # so Starlette says that too much came behind a stream that was begun: it ends here
            self.defect(error)
            await answer.instead(scope, receive, *DEFECT)

    def _refused(self, scope: Scope) -> tuple[int, str]:
        """The status and the words for what is not answered; 0 for what is."""
        headers = dict(scope["headers"])
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        found = HOST.fullmatch(hosts[0].decode("latin-1")) if len(hosts) == 1 else None
        length = headers.get(b"content-length", b"0")
        if self.proxies and (scope.get("client") or ("",))[0] not in self.proxies:
            why = 403, "Only the proxy is answered that config.yaml names."
        elif self.proxies and headers.get(b"x-forwarded-proto", b"") != b"https":
            why = 403, "The proxy must speak TLS, and say so: X-Forwarded-Proto: https"
        elif found is None or found[1].lower().rstrip(".") not in self.names:
            why = 421, "This server is not reached by that name: serve: names: in config.yaml lists more."
        elif scope["method"] not in METHODS:
            why = 405, "GET and POST alone are answered."
        elif len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
            why = 414, "The address is too long."
        elif b"transfer-encoding" in headers and b"content-length" in headers:
            why = 400, "How long this is was said in two ways: a proxy may read it otherwise."
        elif not length.isdigit() or int(length[:12]) > _most(scope):
            why = TOO_MUCH
        else:
            why = 0, ""
        return why

    @property
    def _ours(self) -> Sequence[tuple[bytes, bytes]]:
        return (*HEADERS, SECURE_ONLY) if self.secure or self.proxies else HEADERS


@dataclass
class _Answer:
    """Sends an answer with our headers."""

    send: Send
    ours: Sequence[tuple[bytes, bytes]]
    begun: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = message.get("headers", ())
            given = {name.lower() for name, _ in headers}
            message = {**message, "headers": [*headers, *(one for one in self.ours if one[0] not in given)]}
        await self.send(message)

    async def instead(self, scope: Scope, receive: Receive, status: int, words: str) -> None:
        """Answers with this, where no answer was begun."""
        if not self.begun:
            await _said(status, words)(scope, receive, self)


def _said(status: int, words: str) -> PlainTextResponse:
    return PlainTextResponse(f"{words}\n", status, MORE.get(status))


def _most(scope: Scope) -> int:
    return LARGEST_POSTED if scope["path"] == POSTED else LARGEST_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    read = 0

    async def receives() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise TooLargeError
        return message

    return receives
