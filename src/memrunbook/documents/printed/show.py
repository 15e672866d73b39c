"""`runbook show --json`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from memrunbook.core.runbook.bound import Runbook
from memrunbook.core.units import written
from memrunbook.documents.printed import Document


class ShowDocument(Document, frozen=True, kw_only=True):
    """runbook show --json."""

    format: Literal["memrunbook.show/1"] = "memrunbook.show/1"
    origin: str
    digest: str
    runbook: dict[str, Any]


def show_document(runbook: Runbook) -> ShowDocument:
    """A runbook as its file says it (a document of runbook.schema.json), its origin and the SHA-256 of its bytes."""
    spec = msgspec.to_builtins(runbook.spec, enc_hook=written)
    return ShowDocument(origin=runbook.origin, digest=runbook.digest, runbook=spec)
