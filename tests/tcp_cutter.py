"""A way to an SSH server that is cut at a chosen moment: what follows reaches nobody, and nobody is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 1 << 16


@dataclass
class Cutter:
    """Hands bytes on between clients, who come to `port`, and the server at `port_there`, until `cut` is called.

    With `swallow` set, what the server says from then on is dropped, while what is sent to it still arrives: a command
    is carried out and its answer lost.
    """

    port_there: int
    port: int
    listening: socket.socket
    swallow: bool = False
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def cut(self) -> None:
        """Ends every connection at once, as a cable that is pulled and a firewall that says so."""
        for pair in self._pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()
        self.swallow = False

    def serve(self) -> None:
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port_there), 10)
            far.settimeout(None)
            self._pairs.append((near, far))
            threading.Thread(target=self._hand_on, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._hand_on, args=(far, near, True), daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket, back: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := source.recv(PIECE):
                if not (back and self.swallow):
                    sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutter(port: int, at: int = 0) -> Iterator[Cutter]:
    """A way to 127.0.0.1 at `port`, itself at the port `at` (any where it is 0)."""
    with socket.create_server(("127.0.0.1", at)) as listening:
        way = Cutter(port, listening.getsockname()[1], listening)
        thread = threading.Thread(target=way.serve, daemon=True)
        thread.start()
        try:
            yield way
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            way.cut()
            thread.join(5)
