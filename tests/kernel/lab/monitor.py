"""Speaks QMP, qemu's control protocol, over a connected unix socket."""

import json
import socket

from tests.kernel.lab.errors import LabError

SNAPSHOT_SECONDS = 120


class Monitor:
    """The control channel of one qemu; every call waits at most SNAPSHOT_SECONDS."""

    def __init__(self, end: socket.socket) -> None:
        """Take the lab's end of the socket pair whose other end qemu was given."""
        end.settimeout(SNAPSHOT_SECONDS)
        self._socket = end
        self._lines = end.makefile("r", encoding="utf-8")

    def greet(self) -> None:
        """Finish the handshake; raise LabError if qemu ended instead."""
        self._next()
        self._execute("qmp_capabilities")

    def human(self, line: str) -> None:
        """Carry out a line of the human monitor (`savevm NAME`); raise LabError with what it answered, if anything."""
        if answer := self._execute("human-monitor-command", **{"command-line": line}):
            message = f"{line}: {answer}"
            raise LabError(message)

    def quit(self) -> None:
        """Ask qemu to end."""
        self._execute("quit")

    def _execute(self, command: str, **arguments: str) -> object:
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            reply = self._next()
            if "error" in reply:
                message = f"{command}: {reply['error']}"
                raise LabError(message)
            if "return" in reply:
                return reply["return"]

    def _next(self) -> dict[str, object]:
        try:
            line = self._lines.readline()
        except OSError as failure:
            message = f"qemu's monitor: {failure}"
            raise LabError(message) from failure
        if not line:
            message = "qemu closed its monitor"
            raise LabError(message)
        reply: dict[str, object] = json.loads(line)
        return reply
