"""The connections of the server: none waits for its peer without end, and who comes always finds room."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from memrunbook.web.guard import HEADERS, SECURE_ONLY

PATIENCE = 20.0
"""Seconds in which a request arrives as a whole, and in which what was sent is read on."""
MOST = 150
"""Connections; one more takes the place of that which waits longest for its peer."""


class BoundedConnection(H11Protocol):
    """One connection; `since` is when it began to wait for its peer, None while the answer is ours to give."""

    since: float | None = None
    late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Makes room, where there is none."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST:
            waiting = [one for one in self.connections if isinstance(one, BoundedConnection) and one.since is not None]
            min(waiting, key=lambda one: one.since or 0.0).drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        self._go_on()

    def drop(self) -> None:
        """Ends it at once, whatever was not read yet."""
        self._go_on()
        self.connections.discard(self)
        self.transport.abort()

    def handle_events(self) -> None:
        """Waits on where a request is not complete."""
        super().handle_events()
        whole = self.conn.their_state in (h11.DONE, h11.MUST_CLOSE)
        if whole and not self.transport.is_closing() and not self.flow.write_paused:
            self._go_on()
        elif self.since is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Waits for the next request, and for the answer to be read."""
        self._wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Too much lies here that was not read."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """It is read on."""
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self._go_on()

    def send_400_response(self, msg: str) -> None:
        """With the headers that each answer has; nothing where another answer was begun."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        if self.cycle is not None:  # whoever works on it learns that nobody waits for an answer any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        content = f"{msg}\n".encode("ascii")
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"), *HEADERS, *([SECURE_ONLY] if self.scheme == "https" else []),
        ]  # fmt: skip
        sent: list[Any] = [
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"), h11.Data(data=content),
            h11.EndOfMessage(),
        ]  # fmt: skip
        for event in sent:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self) -> None:
        self._go_on()
        self.since = self.loop.time()
        self.late = self.loop.call_later(PATIENCE, self.drop)

    def _go_on(self) -> None:
        self.since = None
        if self.late is not None:
            self.late.cancel()
            self.late = None
