"""What the tool `propose` of `runbook mcp` answers."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.documents.printed import Document
from memrunbook.documents.printed.diagnose import PrintedHost
from memrunbook.documents.printed.plan import PrintedFreeze
from memrunbook.documents.printed.runs import PrintedOpen


class PrintedProposal(Struct, frozen=True, kw_only=True):
    """A plan that waits for a person until then (seconds since 1970), and what that person types.

    `people` must approve it first; `approve` is empty where nobody need. `id` is the beginning of its `digest`.
    """

    host: str
    id: str
    digest: str
    path: str
    creator: str
    until: float
    people: int
    approve: str
    apply: str
    decline: str


class ProposalDocument(Document, frozen=True, kw_only=True):
    """runbook mcp: what its tool propose answers.

    `hosts`, `open` and `freezes` are those of runbook plan --json; a host without a change has nothing in `proposed`.
    """

    format: Literal["memrunbook.proposal/1"] = "memrunbook.proposal/1"
    runbook: str
    hosts: tuple[PrintedHost, ...]
    proposed: tuple[PrintedProposal, ...]
    open: tuple[PrintedOpen, ...] = ()
    freezes: tuple[PrintedFreeze, ...] = ()
