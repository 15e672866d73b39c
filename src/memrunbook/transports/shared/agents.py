"""The ssh agents of a run: each is asked once whether it answers, so that a silent one delays nobody twice."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from memrunbook.transports.shared.ssh_settings import NONE

ANSWER = 10.0
"""How long an agent may take for an answer, in seconds: one that accepts and is silent would never be given up."""
_ASK = b"\0\0\0\1\x0b"
_GRACE = 2.0
_LISTED, _HEAD = 12, 9
"""SSH_AGENT_IDENTITIES_ANSWER (draft-miller-ssh-agent), and the bytes up to the count of its keys."""

AgentState = Literal["answers", "silent", "broken", "absent", "none"]
"""It lists its keys; it accepts and says nothing within `ANSWER`; it accepts and breaks off; nobody listens at its
socket; there is none, or it is not wanted."""


@dataclass(frozen=True)
class AgentReport:
    """What was found of an agent; `keys` are how many it holds."""

    path: str
    state: AgentState
    keys: int = 0

    @property
    def fault(self) -> str:
        """In words why it cannot be used; empty where it can, or where there is none."""
        return {
            "silent": f"the ssh agent accepts, and did not answer within {ANSWER:.0f} s",
            "broken": "the ssh agent does not answer: it broke off",
            "absent": f"no ssh agent listens at {self.path}",
        }.get(self.state, "")


@dataclass(eq=False)
class Agents:
    """What is known of each agent, by the path of its socket: asked once, in the background; safe with many threads."""

    seconds: float = ANSWER
    _asked: dict[str, Future[AgentReport]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def report(self, path: str, patience: float | None = None) -> AgentReport:
        """Of the agent at this socket; "" is the one of the environment, "none" is none.

        Where it has said nothing within `patience` (seconds, None: as long as it may take) it counts as silent so far.
        """
        place = path or os.environ.get("SSH_AUTH_SOCK", "") or NONE
        with self._turn:
            answer = self._asked.get(place)
            if answer is None:
                answer = self._asked[place] = Future()
                threading.Thread(target=self._ask, args=(place, answer), daemon=True).start()
        try:
            return answer.result(self.seconds + _GRACE if patience is None else patience)
        except TimeoutError:
            return AgentReport(place, "silent")

    def _ask(self, place: str, answer: Future[AgentReport]) -> None:
        answer.set_result(ask(place, self.seconds))


def ask(path: str, seconds: float) -> AgentReport:
    """Asks an agent for the number of its keys, within so many seconds."""
    if path.lower() == NONE:
        return AgentReport("", "none")
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(seconds)
        try:
            link.connect(path)
        except (OSError, ValueError):
            return AgentReport(path, "absent")
        try:
            link.sendall(_ASK)
            head = _received(link, seconds)
        except TimeoutError:
            return AgentReport(path, "silent")
        except OSError:
            return AgentReport(path, "broken")
    if len(head) < _HEAD or head[4] != _LISTED:
        return AgentReport(path, "broken")
    return AgentReport(path, "answers", int.from_bytes(head[5:_HEAD]))


def _received(link: socket.socket, seconds: float) -> bytes:
    """The head of an answer, or what came of it before the end."""
    deadline, came = time.monotonic() + seconds, b""
    while len(came) < _HEAD:
        link.settimeout(max(0.01, deadline - time.monotonic()))
        data = link.recv(_HEAD - len(came))
        if not data:
            break
        came += data
    return came
