"""Reads answers from the terminal: none that was typed before its question, and Ctrl-C ends the wait."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from memrunbook.core.errors import Interrupted
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.ui.approve import TerminalApprover

POLL = 0.1
LONGEST = 4096


class Keyboard:
    """The terminal on stdin; `stop` is set when a person pressed Ctrl-C."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def forget(self) -> None:
        """Throws away what was typed before anything was asked: a key pressed in impatience is no consent."""
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def read(self) -> str:
        """The next line with its end, "" at the end of the input; KeyboardInterrupt after Ctrl-C.

        Python goes on with a read that a signal interrupted, and other threads never see the signal: so it is polled.
        """
        file = sys.stdin.fileno()
        while not self._stop.is_set():
            if select.select([file], [], [], POLL)[0]:
                return os.read(file, LONGEST).decode("utf-8", "replace")
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Unhurried:
    """An approver at the terminal who does not take for an answer what was typed before the question.

    Nothing else is drawn while it stands (`alone`).
    """

    approver: TerminalApprover
    keyboard: Keyboard
    alone: Callable[[], AbstractContextManager[None]] = nullcontext

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Forgets what was typed so far, and asks; Interrupted where the terminal has gone.

        Where another host's gate said it for this one nothing is asked, and what is drawn stays.
        """
        if (covered := self.approver.covered(host, question)) is not None:
            return covered
        try:
            with self.alone():
                self.keyboard.forget()
                return self.approver.asked(host, question)
        except (OSError, termios.error) as error:
            raise Interrupted(f"the terminal has gone: {error}", hint="nothing of this step was done") from None
