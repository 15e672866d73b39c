"""Gets what an URL holds, within a time in all and so many bytes; by the proxies of the environment."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from memrunbook.runtime.http_deadline import ended_after

TOO_LONG = "its answer took too long"


def get(url: str, headers: Mapping[str, str], seconds: float, most: int, *, redirects: bool) -> bytes:
    """The answer. HTTPError for one that is an error; OSError or HTTPException where none came, in time and in whole.

    Without `redirects` an answer that names another place is an error: a token goes to the server that was named.
    """
    deadline, capture = time.monotonic() + seconds, _Capture()
    handlers = [_Http(capture), _Https(capture), *([] if redirects else [_NoRedirect()])]
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  http or https: its caller's to check
    opener = urllib.request.build_opener(*handlers)
    with ended_after(capture.newest, seconds) as late:
        try:
            with opener.open(request, timeout=seconds) as answer:
                return _read(answer, deadline, most)
        except (OSError, http.client.HTTPException):
            if late.is_set():
                raise TimeoutError(TOO_LONG) from None
            raise


def _read(answer: http.client.HTTPResponse, deadline: float, most: int) -> bytes:
    found = bytearray()
    while part := answer.read1(1 << 16):
        found += part
        if len(found) > most:
            raise OSError(f"its answer is larger than {most >> 20} MiB")
        if time.monotonic() > deadline:
            raise TimeoutError(TOO_LONG)
    return bytes(found)


class _Capture:
    """The connections that urllib made: it hands out none of them."""

    def __init__(self) -> None:
        self._made: list[http.client.HTTPConnection] = []

    def newest(self) -> http.client.HTTPConnection | None:
        """The one in use."""
        return self._made[-1] if self._made else None

    def plain(self, host: str, **named: Any) -> http.client.HTTPConnection:
        """One to a host."""
        self._made.append(http.client.HTTPConnection(host, **named))
        return self._made[-1]

    def secure(self, host: str, **named: Any) -> http.client.HTTPConnection:
        """One to a host whose certificate is checked."""
        self._made.append(http.client.HTTPSConnection(host, context=ssl.create_default_context(), **named))
        return self._made[-1]


class _Http(urllib.request.HTTPHandler):
    def __init__(self, capture: _Capture) -> None:
        super().__init__()
        self._capture = capture

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._capture.plain, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, capture: _Capture) -> None:
        super().__init__()
        self._capture = capture

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._capture.secure, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None
