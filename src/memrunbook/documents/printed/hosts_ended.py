"""`--format jsonl`: the last line, behind those of the hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from memrunbook.core.units import encode
from memrunbook.documents.printed import Document


class HostsEnded(Document, frozen=True, kw_only=True):
    """The last line of runbook diagnose, plan and facts with --format jsonl.

    `of` is the document whose `hosts` the lines before it are, `rest` what else stands there; `outcomes` says how many
    hosts ended how, `exit_code` how the command ends.
    """

    format: Literal["memrunbook.hosts-ended/1"] = "memrunbook.hosts-ended/1"
    event: Literal["summary"] = "summary"
    of: str
    hosts: int
    outcomes: dict[str, int]
    exit_code: int
    rest: dict[str, Any]


def hosts_ended(document: Document, outcomes: Sequence[str], exit_code: int) -> HostsEnded:
    """What is left to say of a document whose hosts have been told, and ended so."""
    told = msgspec.to_builtins(document, enc_hook=encode)
    of = told.pop("format")
    del told["hosts"]
    return HostsEnded(of=of, hosts=len(outcomes), outcomes=dict(Counter(outcomes)), exit_code=exit_code, rest=told)
