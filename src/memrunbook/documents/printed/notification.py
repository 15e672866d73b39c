"""What a webhook is posted and a command gets on stdin."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from memrunbook.core.run.notification import Notification, Occasion
from memrunbook.documents.printed import Document
from memrunbook.version import __version__


class NotificationDocument(Document, frozen=True, kw_only=True):
    """What a receiver of `notify` is handed: a webhook as the body of its POST, a command on stdin.

    `id` is the same each time that this message is tried, `key` the same for the same trouble; `seen` is how often that
    came since it was told before. `at` is UTC (ISO 8601). All text is plain, on one line each, without secrets; what
    hosts said stands in it as it is.
    """

    format: Literal["memrunbook.notification/1"] = "memrunbook.notification/1"
    id: str
    occasion: Occasion | Literal["test"]
    key: str
    at: str
    seen: int
    verdict: str
    host: str
    runbook: str
    schedule: str
    run: str
    evidence: tuple[str, ...]
    command: str
    engine: str
    control_node: str


def notification_document(
    one: Notification, ident: str, seen: int, control_node: str, *, test: bool = False
) -> NotificationDocument:
    """The document of a message; `test` where nothing is wrong and somebody only tries a receiver."""
    return NotificationDocument(
        id=ident,
        occasion="test" if test else one.occasion,
        key=one.key,
        at=dt.datetime.fromtimestamp(one.at, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        seen=seen,
        verdict=one.verdict,
        host=one.host,
        runbook=one.runbook,
        schedule=one.schedule,
        run=one.run,
        evidence=one.evidence,
        command=one.command,
        engine=__version__,
        control_node=control_node,
    )
