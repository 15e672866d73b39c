"""`runbook list --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from memrunbook.documents.library import LibraryEntry
from memrunbook.documents.printed import Document


class ListedRunbook(Struct, frozen=True):
    """A runbook of the search path; `shadowed` names the origin that wins, `problem` says why it cannot be read."""

    name: str
    title: str
    origin: str
    shadowed: str
    problem: str


class ListDocument(Document, frozen=True, kw_only=True):
    """runbook list --json."""

    format: Literal["memrunbook.list/1"] = "memrunbook.list/1"
    runbooks: tuple[ListedRunbook, ...]


def list_document(entries: Iterable[LibraryEntry]) -> ListDocument:
    """The runbooks by name."""
    return ListDocument(runbooks=tuple(ListedRunbook(**entry._asdict()) for entry in entries))
