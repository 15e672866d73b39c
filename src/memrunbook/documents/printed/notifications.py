"""`runbook notify list --json`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.core.run.notification import Notification
from memrunbook.core.run.queued import Queued, QueueState
from memrunbook.documents.printed import Document


class PrintedMessage(Struct, frozen=True, kw_only=True):
    """A message to one receiver. Times are UTC (ISO 8601), `due` where it waits and `ended` where it does not.

    `seen` is how often that trouble came since it was told before, `problem` why it was not taken the last time.
    """

    receiver: str
    state: QueueState
    queued: str
    due: str | None
    ended: str | None
    seen: int
    attempts: int
    problem: str
    notification: Notification


class NotificationsDocument(Document, frozen=True, kw_only=True):
    """runbook notify list --json: what receivers were told and what waits for them, the newest first."""

    format: Literal["memrunbook.notifications/1"] = "memrunbook.notifications/1"
    notifications: tuple[PrintedMessage, ...]


def notifications_document(found: Iterable[Queued]) -> NotificationsDocument:
    """The queue, as it is printed."""
    return NotificationsDocument(
        notifications=tuple(
            PrintedMessage(
                receiver=one.receiver,
                state=one.state,
                queued=_utc(one.queued),
                due=_utc(one.due) if one.state == "waiting" else None,
                ended=None if one.ended is None else _utc(one.ended),
                seen=one.seen,
                attempts=one.attempts,
                problem=one.problem,
                notification=one.notification,
            )
            for one in found
        )
    )


def _utc(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
