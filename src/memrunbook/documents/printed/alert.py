"""`runbook alert --json`."""

from __future__ import annotations

from typing import Literal

from memrunbook.core.run.answered import AnsweredAlert
from memrunbook.documents.printed import Document


class AlertDocument(Document, frozen=True, kw_only=True):
    """runbook alert --json: what came of each alert, in the order of the document; the runs that they led to.

    `left_out` counts alerts that nobody looked at: Alertmanager left them out, or they were too many for one document.
    """

    format: Literal["memrunbook.alert/1"] = "memrunbook.alert/1"
    alerts: tuple[AnsweredAlert, ...]
    runs: tuple[str, ...] = ()
    left_out: int = 0
