"""One question at a time: an approver that the hosts of one invocation share."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from memrunbook.app.actor import this_actor
from memrunbook.app.allowing import checked
from memrunbook.core.errors import Interrupted
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.request import Approval, AskApproval
from memrunbook.runtime.clock import SystemClock, wish_of
from memrunbook.runtime.ports import Approver
from memrunbook.ui.approve import UnattendedApprover


@dataclass
class OneAtATime:
    """An approver that many hosts share: one question at a time; after "quit all" nobody is asked any more.

    Nor is anybody once `stop` is set.
    """

    approver: Approver
    stop: threading.Event
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _quit: bool = field(default=False, init=False)

    def approve(self, host: str, question: AskApproval) -> Approval:
        """Waits for its turn and asks; Interrupted where it was stopped meanwhile: its gate is not shown then."""
        with self._turn:
            if wish := wish_of(self.stop):
                raise Interrupted(wish)
            if self._quit:
                return Approval(question.snapshot_at, "quit-all", how="terminal", why="all hosts were quit at a gate")
            answer = self.approver.approve(host, question)
            self._quit = answer.answer == "quit-all"
            return answer


def consent(allow: Collection[str] = (), *, yes: bool = False) -> Approver:
    """An approver for when nobody can be asked: `yes` to low risk, and to each ACTION or ACTION:TARGET of `allow`.

    UsageError for a word that can never count.
    """
    allow = allow if isinstance(allow, Consents) else checked(allow)
    return UnattendedApprover(yes, allow, SystemClock().now, this_actor().user)
