"""One question at a time: an approver that the hosts of one invocation share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from memrunbook.app.actor import this_actor
from memrunbook.app.allowing import checked
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Approver
from memrunbook.ui.approve import UnattendedApprover


@dataclass
class OneAtATime:
    """An approver that many hosts share: one question at a time; after "quit all" nobody is asked any more.

    Nothing else is drawn while a question stands (`alone`).
    """

    approver: Approver
    turn: threading.Lock
    alone: Callable[[], AbstractContextManager[None]]
    quit: bool = False

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Waits for its turn and asks."""
        with self.turn:
            if self.quit:
                return Approval(question.snapshot_at, "quit-all", how="terminal", why="all hosts were quit at a gate")
            with self.alone():
                answer = self.approver.approve(host, question)
            self.quit = answer.answer == "quit-all"
            return answer


def consent(allow: Collection[str] = (), *, yes: bool = False) -> Approver:
    """An approver for when nobody can be asked: `yes` to low risk, and to each ACTION or ACTION:TARGET of `allow`.

    UsageError for a word that can never count.
    """
    allow = allow if isinstance(allow, Consents) else checked(allow)
    return UnattendedApprover(yes, allow, SystemClock().now, this_actor().user)
