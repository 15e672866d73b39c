"""Ends an HTTP exchange when its time is over: a timeout of a socket is begun again with each byte that comes."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def ended_after(
    connection: Callable[[], http.client.HTTPConnection | None], seconds: float
) -> Iterator[threading.Event]:
    """While it lasts the connection that there is by then is ended after so many seconds in all; the event says so."""
    late = threading.Event()

    def end() -> None:
        late.set()
        there = connection()
        if there is not None and there.sock is not None:
            with suppress(OSError):
                there.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    with suppress(RuntimeError):  # ulimit -u: the timeout of its socket is left
        timer.start()
    try:
        yield late
    finally:
        timer.cancel()
