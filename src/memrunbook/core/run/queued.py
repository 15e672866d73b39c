"""A message to one receiver, from when it is queued to its end."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.core.run.notification import Notification

QueueState = Literal["waiting", "sent", "given-up"]


class Queued(Struct, frozen=True, kw_only=True):
    """One message to one receiver. `seen` is how often that trouble came since it was told before, `seen_at` when last.

    Times are in seconds since 1970; `due` is when it is tried next. `problem` is why it was not taken the last time.
    """

    id: int
    receiver: str
    notification: Notification
    queued: float
    seen: int
    seen_at: float
    state: QueueState
    attempts: int
    due: float
    ended: float | None = None
    problem: str = ""
